"""The script Streamlit runs for every page: navigation and nothing else."""

from weir_dashboard.navigation import show

show()
