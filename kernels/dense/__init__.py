"""Dense layers as one launch each: products with what stands around them."""
