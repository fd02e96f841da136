"""The process that evaluates rules, raises alerts and carries out their actions."""
