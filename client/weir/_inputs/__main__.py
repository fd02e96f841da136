"""`python -m weir._inputs`: the collector, started by `weir.init()`; reads its request from stdin."""

from weir._inputs._collect import main

if __name__ == "__main__":
    main()
