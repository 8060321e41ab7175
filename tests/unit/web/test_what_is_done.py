from app.analysis.analyse import analyse_script
from app.web.views.what_is_done import done_by, done_to

SQL = """
ALTER TABLE public.users ADD COLUMN role text;
ALTER TABLE public.users ALTER COLUMN role SET NOT NULL;
CREATE TABLE public.notes (user_id bigint REFERENCES public.users (id));
CREATE INDEX CONCURRENTLY roles ON public.users (role);
"""


def test_a_table_is_told_with_its_commands_its_columns_and_who_refers_to_it():
    said = done_to("public.users", analyse_script(SQL))
    assert said == "ALTER TABLE (role added, not null), referenced by public.notes, CREATE INDEX"


def test_a_statement_is_told_in_postgresqls_own_words():
    analysis = analyse_script(SQL)
    assert [done_by(statement, analysis.tables.new) for statement in analysis.statements] == [
        "ALTER TABLE public.users",
        "ALTER TABLE public.users",
        "CREATE TABLE public.notes, which references public.users",
        "CREATE INDEX on public.users",
    ]
