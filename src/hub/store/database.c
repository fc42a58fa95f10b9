#include "hub/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#define SCHEMA_VERSION 1
#define CACHE_KIB 512
#define BUSY_MS 5000

enum statement {
	STATEMENT_PUT,
	STATEMENT_DELETE,
	STATEMENT_NOTE,
	STATEMENT_META,
	STATEMENT_COUNT,
};

static const char *const statement_texts[STATEMENT_COUNT] = {
	[STATEMENT_PUT] =
		"INSERT INTO object(kind, space, name, revision, json) VALUES(?1, ?2, ?3, ?4, ?5) "
		"ON CONFLICT(kind, space, name) DO UPDATE "
		"SET revision = excluded.revision, json = excluded.json",
	[STATEMENT_DELETE] = "DELETE FROM object WHERE kind = ?1 AND space = ?2 AND name = ?3",
	[STATEMENT_NOTE] =
		"INSERT INTO journal(seq, time, who, \"where\", verb, object, text, hash) "
		"VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATEMENT_META] = "INSERT INTO meta(key, value) VALUES(?1, ?2) "
			   "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
};

static const char schema[] =
	"CREATE TABLE object(kind TEXT NOT NULL, space TEXT NOT NULL, name TEXT NOT NULL,"
	" revision INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY(kind, space, name)) STRICT;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, who TEXT NOT NULL,"
	" \"where\" TEXT NOT NULL, verb TEXT NOT NULL, object TEXT NOT NULL, text TEXT NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	"PRAGMA user_version = 1;";

struct pic_database {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	char path[PATH_MAX];
	int64_t revision;
	struct pic_journal_head head;	   /* as it will be after the running transaction */
	struct pic_journal_head safe_head; /* as it is on disk */
};

/* A statement of one walk, finalized by scope. */
static void finalize_pointer(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
	*statement = NULL;
}
#define STATEMENT PIC_CLEANUP(finalize_pointer)

static int code_of(sqlite3 *sqlite)
{
	switch (sqlite3_errcode(sqlite) & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	default:
		return sqlite3_system_errno(sqlite) == ENOSPC ? -ENOSPC : -EIO;
	}
}

static int fail(const struct pic_database *database, const char *what, struct pic_error *err)
{
	int code = code_of(database->sqlite);

	return pic_error_set(err, code, "cannot %s %s: %s%s", what, database->path,
			     sqlite3_errmsg(database->sqlite),
			     code == -ENOSPC ? "; free some space on that disk" : "");
}

static int execute(struct pic_database *database, const char *sql, const char *what,
		   struct pic_error *err)
{
	if (sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(database, what, err);
	return 0;
}

/* Runs `sql`, which answers one row or none, and hands out its first column as an integer. */
static int ask_integer(struct pic_database *database, const char *sql, int64_t *out,
		       struct pic_error *err)
{
	STATEMENT sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
		return fail(database, "read", err);
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		*out = sqlite3_column_int64(statement, 0);
		return 0;
	case SQLITE_DONE:
		return 0;
	default:
		return fail(database, "read", err);
	}
}

/* The file is made by us and not by SQLite, so that nobody else can ever read it. */
static int make_file(const char *path, struct pic_error *err)
{
	PIC_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return pic_error_errno(err, errno, "cannot open the store %s", path);
	return 0;
}

static int make_schema(struct pic_database *database, struct pic_error *err)
{
	int64_t version = 0;
	int r = ask_integer(database, "PRAGMA user_version", &version, err);

	if (r < 0)
		return r;
	if (version == SCHEMA_VERSION)
		return 0;
	if (version > SCHEMA_VERSION)
		return pic_error_set(
			err, -EPROTO,
			"the store %s was written by a newer piccolo-hub (schema %lld, this "
			"program knows %d); use that version, or another --state",
			database->path, (long long)version, SCHEMA_VERSION);
	r = pic_database_begin(database, err);
	if (r < 0)
		return r;
	r = execute(database, schema, "make the tables of", err);
	if (r < 0) {
		pic_database_rollback(database);
		return r;
	}
	return execute(database, "COMMIT", "make the tables of", err);
}

static int prepare(struct pic_database *database, struct pic_error *err)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(database->sqlite, statement_texts[i], -1,
				       SQLITE_PREPARE_PERSISTENT, &database->statements[i],
				       NULL) != SQLITE_OK)
			return fail(database, "open the store", err);
	}
	return 0;
}

static int read_head(struct pic_database *database, struct pic_error *err)
{
	STATEMENT sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(database->sqlite,
			       "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", -1,
			       &statement, NULL) != SQLITE_OK)
		return fail(database, "read the journal of", err);
	int step = sqlite3_step(statement);
	if (step == SQLITE_DONE)
		return 0;
	if (step != SQLITE_ROW)
		return fail(database, "read the journal of", err);
	if (sqlite3_column_bytes(statement, 1) != PIC_SHA256_SIZE)
		return pic_error_set(err, -EBADMSG, "the last journal row of %s is damaged",
				     database->path);
	database->head.sequence = sqlite3_column_int64(statement, 0);
	memcpy(database->head.hash.bytes, sqlite3_column_blob(statement, 1), PIC_SHA256_SIZE);
	database->safe_head = database->head;
	return 0;
}

static int set_up(struct pic_database *database, struct pic_error *err)
{
	static const char pragmas[] = "PRAGMA journal_mode = WAL;"
				      "PRAGMA synchronous = FULL;"
				      "PRAGMA temp_store = MEMORY;"
				      "PRAGMA trusted_schema = OFF;"
				      "PRAGMA journal_size_limit = 4194304;";
	int r;

	sqlite3_busy_timeout(database->sqlite, BUSY_MS);
	r = execute(database, pragmas, "open the store", err);
	if (r == 0)
		r = make_schema(database, err);
	if (r == 0)
		r = prepare(database, err);
	if (r == 0)
		r = ask_integer(database, "SELECT value FROM meta WHERE key = 'revision'",
				&database->revision, err);
	if (r == 0)
		r = read_head(database, err);
	return r;
}

int pic_database_open(struct pic_database **out, const char *path, struct pic_error *err)
{
	int r = make_file(path, err);

	if (r < 0)
		return r;
	struct pic_database *database = calloc(1, sizeof(*database));
	if (!database || strlen(path) >= sizeof(database->path)) {
		free(database);
		return pic_error_set(err, -ENOMEM, "no memory to open the store %s", path);
	}
	strcpy(database->path, path);
	if (sqlite3_open_v2(path, &database->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		r = fail(database, "open the store", err);
	if (r == 0) {
		sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0);
		char cache[48];
		snprintf(cache, sizeof(cache), "PRAGMA cache_size = -%d", CACHE_KIB);
		r = execute(database, cache, "open the store", err);
	}
	if (r == 0)
		r = set_up(database, err);
	if (r < 0) {
		pic_database_close(database);
		return r;
	}
	*out = database;
	return 0;
}

void pic_database_close(struct pic_database *database)
{
	if (!database)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(database->statements[i]);
	sqlite3_close(database->sqlite);
	free(database);
}

int64_t pic_database_revision(const struct pic_database *database)
{
	return database->revision;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

int pic_database_load(struct pic_database *database, pic_database_object_fn *fn, void *data,
		      struct pic_error *err)
{
	STATEMENT sqlite3_stmt *statement = NULL;
	int step;

	if (sqlite3_prepare_v2(database->sqlite,
			       "SELECT kind, space, name, revision, json FROM object "
			       "ORDER BY kind, space, name",
			       -1, &statement, NULL) != SQLITE_OK)
		return fail(database, "read", err);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct pic_database_object object = {
			.kind = column_text(statement, 0),
			.space = column_text(statement, 1),
			.name = column_text(statement, 2),
			.revision = sqlite3_column_int64(statement, 3),
			.json = column_text(statement, 4),
			.json_size = (size_t)sqlite3_column_bytes(statement, 4),
		};
		int r = fn(data, &object, err);

		if (r < 0)
			return r;
	}
	return step == SQLITE_DONE ? 0 : fail(database, "read", err);
}

int pic_database_begin(struct pic_database *database, struct pic_error *err)
{
	database->head = database->safe_head;
	return execute(database, "BEGIN IMMEDIATE", "write to", err);
}

static int run(struct pic_database *database, enum statement which, struct pic_error *err)
{
	sqlite3_stmt *statement = database->statements[which];
	int step = sqlite3_step(statement);
	int r = step == SQLITE_DONE ? 0 : fail(database, "write to", err);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return r;
}

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
	sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

int pic_database_write(struct pic_database *database, const struct pic_database_object *object,
		       struct pic_error *err)
{
	enum statement which = object->json ? STATEMENT_PUT : STATEMENT_DELETE;
	sqlite3_stmt *statement = database->statements[which];

	bind_text(statement, 1, object->kind);
	bind_text(statement, 2, object->space);
	bind_text(statement, 3, object->name);
	if (object->json) {
		sqlite3_bind_int64(statement, 4, object->revision);
		sqlite3_bind_text64(statement, 5, object->json, object->json_size, SQLITE_STATIC,
				    SQLITE_UTF8);
	}
	return run(database, which, err);
}

int pic_database_note(struct pic_database *database, const struct pic_journal_row *row,
		      struct pic_error *err)
{
	sqlite3_stmt *statement = database->statements[STATEMENT_NOTE];
	struct pic_journal_head head;

	if (pic_journal_extend(&database->head, row, &head) < 0)
		return pic_error_set(err, -ENOMEM, "no memory for the journal of %s",
				     database->path);
	sqlite3_bind_int64(statement, 1, head.sequence);
	sqlite3_bind_int64(statement, 2, row->time_ms);
	bind_text(statement, 3, row->who);
	bind_text(statement, 4, row->where);
	bind_text(statement, 5, row->verb);
	bind_text(statement, 6, row->object);
	bind_text(statement, 7, row->text);
	sqlite3_bind_blob(statement, 8, head.hash.bytes, PIC_SHA256_SIZE, SQLITE_STATIC);
	int r = run(database, STATEMENT_NOTE, err);
	if (r == 0)
		database->head = head;
	return r;
}

/* `journal` keeps the number of the last row, so that a journal cut off at its end shows too. */
static int write_meta(struct pic_database *database, const char *key, int64_t value,
		      struct pic_error *err)
{
	sqlite3_stmt *statement = database->statements[STATEMENT_META];

	bind_text(statement, 1, key);
	sqlite3_bind_int64(statement, 2, value);
	return run(database, STATEMENT_META, err);
}

int pic_database_commit(struct pic_database *database, int64_t revision, struct pic_error *err)
{
	int r = 0;

	if (revision > database->revision)
		r = write_meta(database, "revision", revision, err);
	if (r == 0 && database->head.sequence != database->safe_head.sequence)
		r = write_meta(database, "journal", database->head.sequence, err);
	if (r == 0)
		r = execute(database, "COMMIT", "write to", err);
	if (r < 0)
		return r;
	if (revision > database->revision)
		database->revision = revision;
	database->safe_head = database->head;
	return 0;
}

void pic_database_rollback(struct pic_database *database)
{
	/* Fails only when SQLite has rolled back by itself, as it does on a full disk. */
	sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
	database->head = database->safe_head;
}

static struct pic_json *journal_entry(sqlite3_stmt *statement)
{
	static const char *const keys[] = { "who", "where", "verb", "object", "text" };
	struct pic_json *entry = pic_json_new_object();
	char time[PIC_TIME_TEXT], hash[2 * PIC_SHA256_SIZE + 1] = "";

	pic_json_set_integer(entry, "seq", sqlite3_column_int64(statement, 0));
	pic_time_format(sqlite3_column_int64(statement, 1), time);
	pic_json_set_text(entry, "time", time);
	for (int i = 0; i < (int)PIC_COUNT(keys); i++)
		pic_json_set_text(entry, keys[i], column_text(statement, 2 + i));
	if (sqlite3_column_bytes(statement, 7) == PIC_SHA256_SIZE)
		pic_hex_encode(sqlite3_column_blob(statement, 7), PIC_SHA256_SIZE, hash);
	pic_json_set_text(entry, "hash", hash);
	return entry;
}

#define JOURNAL_COLUMNS "seq, time, who, \"where\", verb, object, text, hash"

int pic_database_journal(struct pic_database *database, int64_t before, int64_t limit,
			 struct pic_json **out, struct pic_error *err)
{
	STATEMENT sqlite3_stmt *statement = NULL;
	PIC_JSON struct pic_json *list = pic_json_new_array();
	int step;

	if (sqlite3_prepare_v2(database->sqlite,
			       "SELECT " JOURNAL_COLUMNS " FROM journal "
			       "WHERE ?1 <= 0 OR seq < ?1 ORDER BY seq DESC LIMIT ?2",
			       -1, &statement, NULL) != SQLITE_OK)
		return fail(database, "read the journal of", err);
	sqlite3_bind_int64(statement, 1, before);
	sqlite3_bind_int64(statement, 2, limit);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		if (pic_json_append(list, journal_entry(statement)) < 0)
			return pic_error_set(err, -ENOMEM, "no memory to list the journal");
	}
	if (step != SQLITE_DONE)
		return fail(database, "read the journal of", err);
	*out = PIC_STEAL(list);
	return 0;
}

static int verify_row(struct pic_database *database, sqlite3_stmt *statement, struct pic_error *err)
{
	int64_t sequence = sqlite3_column_int64(statement, 0);
	struct pic_journal_row row = {
		.time_ms = sqlite3_column_int64(statement, 1),
		.who = column_text(statement, 2),
		.where = column_text(statement, 3),
		.verb = column_text(statement, 4),
		.object = column_text(statement, 5),
		.text = column_text(statement, 6),
	};
	struct pic_journal_head next;

	if (pic_journal_extend(&database->head, &row, &next) < 0)
		return pic_error_set(err, -ENOMEM, "no memory to check the journal");
	if (sequence != next.sequence)
		return pic_error_set(err, -EBADMSG, "the journal of %s lacks its row %lld",
				     database->path, (long long)next.sequence);
	if (sqlite3_column_bytes(statement, 7) != PIC_SHA256_SIZE ||
	    memcmp(sqlite3_column_blob(statement, 7), next.hash.bytes, PIC_SHA256_SIZE) != 0)
		return pic_error_set(
			err, -EBADMSG,
			"row %lld of the journal of %s was changed: its hash does not fit",
			(long long)sequence, database->path);
	database->head = next;
	return 0;
}

static int verify_rows(struct pic_database *database, struct pic_error *err)
{
	STATEMENT sqlite3_stmt *statement = NULL;
	int64_t last = 0;
	int step, r;

	if (sqlite3_prepare_v2(database->sqlite,
			       "SELECT " JOURNAL_COLUMNS " FROM journal ORDER BY seq", -1,
			       &statement, NULL) != SQLITE_OK)
		return fail(database, "read the journal of", err);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		r = verify_row(database, statement, err);
		if (r < 0)
			return r;
	}
	if (step != SQLITE_DONE)
		return fail(database, "read the journal of", err);
	r = ask_integer(database, "SELECT value FROM meta WHERE key = 'journal'", &last, err);
	if (r < 0)
		return r;
	if (last != database->head.sequence)
		return pic_error_set(
			err, -EBADMSG,
			"the journal of %s ends with row %lld, but row %lld was written",
			database->path, (long long)database->head.sequence, (long long)last);
	return 0;
}

int pic_database_verify(const char *path, struct pic_error *err)
{
	struct pic_database *database = calloc(1, sizeof(*database));
	int r;

	if (!database || strlen(path) >= sizeof(database->path)) {
		free(database);
		return pic_error_set(err, -ENOMEM, "no memory to check the journal of %s", path);
	}
	strcpy(database->path, path);
	if (sqlite3_open_v2(path, &database->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		r = fail(database, "open the store", err);
	else
		/* One transaction: rows and `journal` of the same moment. */
		r = execute(database, "BEGIN", "read", err);
	if (r == 0)
		r = verify_rows(database, err);
	pic_database_close(database);
	return r;
}
