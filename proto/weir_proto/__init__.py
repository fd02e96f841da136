"""The wire: Weir's protocol buffers and the code generated from them."""
