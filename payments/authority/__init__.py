"""Who a person is, what he may see and spend, and how he proves it. Nobody else reads the tables of people."""
