"""Rows to columns of a contract: which header means what, what a cell says, what is wrong with it."""
