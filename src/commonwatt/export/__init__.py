"""A site's data of any period as one Parquet or CSV file.

It is asked for part by part. Each finished part is kept beside the file until all are there, so
that an export that was cut off goes on where it ended.
"""
