"""The cause catalogue: one module per category, each cause a declared constant.

A constant's name is its id without the first segment, in capitals: `auth.token.expired` is TOKEN_EXPIRED.
"""
