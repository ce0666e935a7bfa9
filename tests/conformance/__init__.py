"""Own examples of everything Rasa's format can say: folders that are played, and folders that are refused."""
