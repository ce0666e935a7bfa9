"""The application under attack: doubled, overtaken, forged, flooded and read over the shoulder."""
