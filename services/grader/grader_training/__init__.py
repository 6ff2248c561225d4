"""Makes the file that the local examiner scores with. For developers; never part of a release."""
