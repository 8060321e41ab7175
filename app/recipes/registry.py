"""All recipes, by id, in the order in which they are offered."""

from collections.abc import Mapping

from app.recipes.add_column import ADD_COLUMN
from app.recipes.add_constraint import ADD_CHECK, ADD_FOREIGN_KEY, ADD_PRIMARY_KEY, ADD_UNIQUE
from app.recipes.add_enum_value import ADD_ENUM_VALUE
from app.recipes.add_index import ADD_INDEX, ADD_INDEX_PARTITIONED
from app.recipes.add_not_null import ADD_NOT_NULL
from app.recipes.change_type import CHANGE_TYPE
from app.recipes.drop_column import DROP_COLUMN
from app.recipes.drop_table import DROP_TABLE
from app.recipes.fill_columns import FILL_COLUMNS
from app.recipes.generated_column import GENERATED_COLUMN, GENERATED_COLUMN_VIRTUAL
from app.recipes.recipe import Recipe
from app.recipes.rename import RENAME_COLUMN, RENAME_TABLE

RECIPES: Mapping[str, Recipe] = {
    recipe.id: recipe
    for recipe in (
        ADD_COLUMN,
        ADD_NOT_NULL,
        CHANGE_TYPE,
        GENERATED_COLUMN_VIRTUAL,
        GENERATED_COLUMN,
        ADD_CHECK,
        ADD_FOREIGN_KEY,
        ADD_UNIQUE,
        ADD_PRIMARY_KEY,
        DROP_COLUMN,
        DROP_TABLE,
        RENAME_COLUMN,
        RENAME_TABLE,
        ADD_INDEX,
        ADD_INDEX_PARTITIONED,
        ADD_ENUM_VALUE,
        FILL_COLUMNS,
    )
}
