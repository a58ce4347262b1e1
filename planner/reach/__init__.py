"""Travel times over the network: who reaches what, in how many minutes."""
