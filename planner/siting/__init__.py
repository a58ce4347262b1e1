"""Which places to open next, with proof: location-allocation over ids, weights and a sparse who-reaches-whom."""
