"""What PostgreSQL will refuse, as the catalog and the statement tell beforehand: one module for each family of reasons.

Only what is certain is said: of tables that the target is known to have, as the statements before have left them.
"""
