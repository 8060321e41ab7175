"""PostgreSQL's own functions by volatility (pg_proc of version 18); a name in neither set is a user's or an extension's."""

#: provolatile = 'v', and those of widespread extensions (uuid-ossp, pgcrypto)
VOLATILE = frozenset(
    """
    amvalidate array_sample array_shuffle bernoulli clock_timestamp current_query currtid2 currval cursor_to_xml
    cursor_to_xmlschema gen_random_bytes gen_random_ulid gen_random_uuid gen_salt gen_ulid generate_ulid lastval nanoid nextval
    pg_advisory_lock pg_advisory_unlock pg_advisory_unlock_all pg_advisory_xact_lock pg_blocking_pids pg_cancel_backend
    pg_create_logical_replication_slot pg_create_physical_replication_slot pg_current_wal_lsn pg_database_size
    pg_drop_replication_slot pg_indexes_size pg_is_in_recovery pg_logical_emit_message pg_nextoid pg_notify pg_relation_size
    pg_reload_conf pg_replication_origin_create pg_sleep pg_sleep_for pg_sleep_until pg_stat_reset pg_switch_wal pg_table_size
    pg_terminate_backend pg_total_relation_size pg_try_advisory_lock pg_try_advisory_xact_lock plpgsql_validator query_to_xml
    query_to_xml_and_xmlschema query_to_xmlschema random random_normal set_config setseed setval system timeofday ts_rewrite
    ts_stat txid_status ulid_generate uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuid_generate_v7 uuidv4 uuidv7
    """.split()  # noqa: SIM905 (a list literal would be hundreds of lines)
)

#: immutable or stable; operators' own functions are left out
STEADY = frozenset(
    """
    abbrev abs acldefault aclexplode acos acosd acosh age any_value anytextcat area array_agg array_dims array_fill array_lower
    array_ndims array_position array_positions array_remove array_replace array_reverse array_sort array_to_json array_to_string
    array_to_tsvector array_upper ascii asind asinh atan atan2 atan2d atand atanh avg bit bit_and bit_count bit_length bit_or
    bit_xor bitcmp bool bool_and bool_or booland_statefunc boolor_statefunc bound_box box bpchar broadcast bytea byteacmp
    cardinality casefold cbrt ceil ceiling center char char_length chr cidr circle citext col_description concat concat_ws
    convert convert_from convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32 crc32c cume_dist
    current_database current_schema current_schemas current_setting current_user database_to_xml database_to_xml_and_xmlschema
    database_to_xmlschema date date_add date_part date_subtract date_trunc datemultirange daterange daterange_canonical
    daterange_subdiff decode degrees dense_rank diagonal diameter div encode enum_first enum_last enum_range erf erfc every exp
    extract factorial family first_value float4 float8 floor format format_type gamma gcd generate_series generate_subscripts
    get_bit get_byte get_current_ts_config getdatabaseencoding getpgusername height host hostmask icu_unicode_version
    inet_client_addr inet_client_port inet_merge inet_same_family inet_server_addr inet_server_port initcap int2 int4 int8
    interval is_normalized isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical json_agg json_agg_strict
    json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each json_each_text
    json_object json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict json_object_keys
    json_populate_record json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_to_tsvector json_typeof
    jsonb_agg jsonb_agg_strict jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
    jsonb_build_object jsonb_each jsonb_each_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_agg_strict
    jsonb_object_agg_unique jsonb_object_agg_unique_strict jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz
    jsonb_path_match jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz
    jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_record_valid
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset
    jsonb_to_tsvector jsonb_typeof justify_days justify_hours justify_interval lag last_value lcm lead left length lgamma like
    like_escape line ln log log10 lower lower_inc lower_inf lpad lseg ltrim make_date make_interval make_time make_timestamp
    make_timestamptz makeaclitem masklen max md5 min min_scale mod mode money multirange mxid_age name netmask normalize notlike
    now npoints nth_value ntile num_nonnulls num_nulls numeric nummultirange numnode numrange numrange_subdiff obj_description
    octet_length overlaps overlay parse_ident path pclose percent_rank percentile_cont percentile_disc
    pg_available_extension_versions pg_available_extensions pg_backend_pid pg_basetype pg_char_to_encoding pg_client_encoding
    pg_collation_for pg_collation_is_visible pg_column_compression pg_column_is_updatable pg_column_size
    pg_column_toast_chunk_id pg_conf_load_time pg_config pg_conversion_is_visible pg_current_snapshot pg_current_xact_id
    pg_current_xact_id_if_assigned pg_cursor pg_describe_object pg_encoding_max_length pg_encoding_to_char
    pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects pg_event_trigger_table_rewrite_oid
    pg_event_trigger_table_rewrite_reason pg_extension_update_paths pg_filenode_relation pg_function_is_visible pg_get_acl
    pg_get_catalog_foreign_keys pg_get_constraintdef pg_get_expr pg_get_function_arg_default pg_get_function_arguments
    pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef
    pg_get_keywords pg_get_object_address pg_get_partition_constraintdef pg_get_partkeydef pg_get_publication_tables
    pg_get_replica_identity_index pg_get_replication_slots pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef
    pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_userbyid pg_get_viewdef
    pg_has_role pg_identify_object pg_identify_object_as_address pg_index_column_has_property pg_index_has_property
    pg_indexam_has_property pg_indexam_progress_phasename pg_input_error_info pg_input_is_valid pg_is_other_temp_schema
    pg_listening_channels pg_mcv_list_items pg_my_temp_schema pg_numa_available pg_opclass_is_visible pg_operator_is_visible
    pg_opfamily_is_visible pg_options_to_table pg_partition_root pg_postmaster_start_time pg_prepared_statement
    pg_relation_filenode pg_relation_filepath pg_relation_is_publishable pg_relation_is_updatable pg_replication_origin_oid
    pg_sequence_parameters pg_settings_get_flags pg_show_all_settings pg_size_bytes pg_size_pretty pg_snapshot_xip
    pg_snapshot_xmax pg_split_walfile_name pg_table_is_visible pg_tablespace_databases pg_tablespace_location
    pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone pg_timezone_names pg_trigger_depth pg_ts_config_is_visible
    pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible pg_typeof pg_visible_in_snapshot
    pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset phraseto_tsquery pi plainto_tsquery point polygon popen position pow
    power querytree quote_ident quote_literal quote_nullable radians radius range_agg range_intersect_agg rank regclass
    regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table
    regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace
    reverse right round row_number row_to_json rpad rtrim satisfies_hash_partition scale schema_to_xml
    schema_to_xml_and_xmlschema schema_to_xmlschema session_user set_bit set_byte set_masklen setweight sha224 sha256 sha384
    sha512 shobj_description sign similar_escape similar_to_escape sind sinh slope split_part sqrt statement_timestamp stddev
    stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos substr substring sum system_user table_to_xml
    table_to_xml_and_xmlschema table_to_xmlschema tan tand tanh text text_concat textlen time timestamp timestamptz timetz
    timezone to_ascii to_bin to_char to_date to_hex to_json to_jsonb to_number to_oct to_regclass to_regcollation
    to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_regtypemod to_timestamp
    to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc ts_debug ts_delete ts_filter ts_headline
    ts_lexize ts_parse ts_rank ts_rank_cd ts_rewrite ts_token_type tsmultirange tsrange tsrange_subdiff tstzmultirange tstzrange
    tstzrange_subdiff tsvector_to_array txid_current txid_current_if_assigned txid_current_snapshot txid_snapshot_xip
    txid_snapshot_xmax txid_visible_in_snapshot unicode_assigned unicode_version unistr unnest upper upper_inc upper_inf var_pop
    var_samp varchar variance version websearch_to_tsquery width width_bucket xml xml_is_well_formed xml_is_well_formed_content
    xml_is_well_formed_document xmlagg xmlcomment xmlconcat2 xmlexists xmltext xmlvalidate xpath xpath_exists
    """.split()  # noqa: SIM905 (a list literal would be hundreds of lines)
)
