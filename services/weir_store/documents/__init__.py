"""What people write down: views they saved and reports, every version of them."""
