"""Which sites to open: location-allocation with proof. Knows ids, weights and relations, no geography."""
