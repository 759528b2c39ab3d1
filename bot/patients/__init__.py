"""Patients: who may be affected, at which contact points they are reached, and who speaks for whom."""
