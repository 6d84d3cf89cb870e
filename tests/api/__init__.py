"""Tests of the HTTP surface, over real HTTP."""
