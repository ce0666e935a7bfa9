"""What the house costs: each piece of work timed beside a peer or a lower bound in the same run."""
