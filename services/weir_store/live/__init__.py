"""What has been stored since one last looked."""
