#include "ignition/schema.h"

#include <string.h>

#include "base/cleanup.h"

#define TEXT(name, since) \
	{ \
		name, PIC_IGNITION_TEXT, since, false, NULL, NULL, false, NULL \
	}
#define NEEDED(name) \
	{ \
		name, PIC_IGNITION_TEXT, 0, true, NULL, NULL, false, NULL \
	}
#define NUMBER(name) \
	{ \
		name, PIC_IGNITION_INTEGER, 0, false, NULL, NULL, false, NULL \
	}
#define BOOL(name, since) \
	{ \
		name, PIC_IGNITION_BOOL, since, false, NULL, NULL, false, NULL \
	}
#define OBJECT(name, since, fields) \
	{ \
		name, PIC_IGNITION_OBJECT, since, false, fields, NULL, false, NULL \
	}
#define LIST(name, since, fields, key) \
	{ \
		name, PIC_IGNITION_LIST, since, false, fields, key, false, NULL \
	}
#define TEXTS(name, since, repeats) \
	{ \
		name, PIC_IGNITION_TEXTS, since, false, NULL, NULL, repeats, NULL \
	}
#define NODES(name, fields) \
	{ \
		name, PIC_IGNITION_LIST, 0, false, fields, "path", false, "node" \
	}
#define ARGUMENTS(name) \
	{ \
		name, PIC_IGNITION_TEXTS, 3, false, NULL, NULL, false, "argument" \
	}
#define END \
	{ \
		NULL, PIC_IGNITION_TEXT, 0, false, NULL, NULL, false, NULL \
	}

static const struct pic_ignition_row verification[] = { TEXT("hash", 0), END };
static const struct pic_ignition_row headers[] = { NEEDED("name"), TEXT("value", 1), END };
#define RESOURCE \
	TEXT("compression", 0), LIST("httpHeaders", 1, headers, "name"), \
		OBJECT("verification", 0, verification), END
static const struct pic_ignition_row resource[] = { TEXT("source", 0), RESOURCE };
static const struct pic_ignition_row needed_resource[] = { NEEDED("source"), RESOURCE };

static const struct pic_ignition_row references[] = { LIST("merge", 0, needed_resource, "source"),
						      OBJECT("replace", 0, resource), END };
static const struct pic_ignition_row timeouts[] = { NUMBER("httpResponseHeaders"),
						    NUMBER("httpTotal"), END };
static const struct pic_ignition_row tls[] = {
	LIST("certificateAuthorities", 0, needed_resource, "source"), END
};
static const struct pic_ignition_row security[] = { OBJECT("tls", 0, tls), END };
static const struct pic_ignition_row proxy[] = { TEXT("httpProxy", 1), TEXT("httpsProxy", 1),
						 TEXTS("noProxy", 1, false), END };
static const struct pic_ignition_row ignition[] = { NEEDED("version"),
						    OBJECT("config", 0, references),
						    OBJECT("timeouts", 0, timeouts),
						    OBJECT("security", 0, security),
						    OBJECT("proxy", 1, proxy),
						    END };

static const struct pic_ignition_row partitions[] = { TEXT("label", 0),
						      NUMBER("number"),
						      NUMBER("sizeMiB"),
						      NUMBER("startMiB"),
						      TEXT("typeGuid", 0),
						      TEXT("guid", 0),
						      BOOL("wipePartitionEntry", 0),
						      BOOL("shouldExist", 0),
						      BOOL("resize", 2),
						      END };
/* Partitions are told apart by number, else by label: the merge knows. */
static const struct pic_ignition_row disks[] = { NEEDED("device"), BOOL("wipeTable", 0),
						 LIST("partitions", 0, partitions, NULL), END };
static const struct pic_ignition_row raid[] = {
	NEEDED("name"),	  TEXT("level", 0),	     TEXTS("devices", 0, false),
	NUMBER("spares"), TEXTS("options", 0, true), END
};
static const struct pic_ignition_row filesystems[] = { NEEDED("device"),
						       TEXT("format", 0),
						       TEXT("path", 0),
						       BOOL("wipeFilesystem", 0),
						       TEXT("label", 0),
						       TEXT("uuid", 0),
						       TEXTS("options", 0, true),
						       TEXTS("mountOptions", 1, true),
						       END };
static const struct pic_ignition_row owner[] = { NUMBER("id"), TEXT("name", 0), END };
#define NODE \
	NEEDED("path"), BOOL("overwrite", 0), OBJECT("user", 0, owner), OBJECT("group", 0, owner)
static const struct pic_ignition_row files[] = { NODE, OBJECT("contents", 0, resource),
						 LIST("append", 0, resource, NULL), NUMBER("mode"),
						 END };
static const struct pic_ignition_row directories[] = { NODE, NUMBER("mode"), END };
static const struct pic_ignition_row links[] = { NODE, TEXT("target", 0), BOOL("hard", 0), END };
static const struct pic_ignition_row tang[] = { NEEDED("url"), TEXT("thumbprint", 0),
						TEXT("advertisement", 4), END };
static const struct pic_ignition_row custom[] = { TEXT("pin", 0), TEXT("config", 0),
						  BOOL("needsNetwork", 0), END };
static const struct pic_ignition_row clevis[] = { LIST("tang", 0, tang, "url"), BOOL("tpm2", 0),
						  NUMBER("threshold"), OBJECT("custom", 0, custom),
						  END };
static const struct pic_ignition_row cex[] = { BOOL("enabled", 0), END };
static const struct pic_ignition_row luks[] = { NEEDED("name"),
						TEXT("device", 0),
						OBJECT("keyFile", 0, resource),
						TEXT("label", 0),
						TEXT("uuid", 0),
						TEXTS("options", 0, true),
						BOOL("discard", 4),
						TEXTS("openOptions", 4, true),
						BOOL("wipeVolume", 0),
						OBJECT("clevis", 0, clevis),
						OBJECT("cex", 5, cex),
						END };
static const struct pic_ignition_row storage[] = { LIST("disks", 0, disks, "device"),
						   LIST("raid", 0, raid, "name"),
						   LIST("filesystems", 0, filesystems, "device"),
						   NODES("files", files),
						   NODES("directories", directories),
						   NODES("links", links),
						   LIST("luks", 2, luks, "name"),
						   END };

static const struct pic_ignition_row dropins[] = { NEEDED("name"), TEXT("contents", 0), END };
static const struct pic_ignition_row units[] = { NEEDED("name"),
						 BOOL("enabled", 0),
						 BOOL("mask", 0),
						 TEXT("contents", 0),
						 LIST("dropins", 0, dropins, "name"),
						 END };
static const struct pic_ignition_row systemd[] = { LIST("units", 0, units, "name"), END };

static const struct pic_ignition_row users[] = {
	NEEDED("name"),		 TEXT("passwordHash", 0), TEXTS("sshAuthorizedKeys", 0, false),
	NUMBER("uid"),		 TEXT("gecos", 0),	  TEXT("homeDir", 0),
	BOOL("noCreateHome", 0), TEXT("primaryGroup", 0), TEXTS("groups", 0, false),
	BOOL("noUserGroup", 0),	 BOOL("noLogInit", 0),	  TEXT("shell", 0),
	BOOL("shouldExist", 2),	 BOOL("system", 0),	  END
};
static const struct pic_ignition_row groups[] = { NEEDED("name"),	   NUMBER("gid"),
						  TEXT("passwordHash", 0), BOOL("shouldExist", 2),
						  BOOL("system", 0),	   END };
static const struct pic_ignition_row passwd[] = { LIST("users", 0, users, "name"),
						  LIST("groups", 0, groups, "name"), END };

static const struct pic_ignition_row arguments[] = { ARGUMENTS("shouldExist"),
						     ARGUMENTS("shouldNotExist"), END };

const struct pic_ignition_row pic_ignition_config[] = { { "ignition", PIC_IGNITION_OBJECT, 0, true,
							  ignition, NULL, false, NULL },
							OBJECT("storage", 0, storage),
							OBJECT("systemd", 0, systemd),
							OBJECT("passwd", 0, passwd),
							OBJECT("kernelArguments", 3, arguments),
							END };

const struct pic_ignition_row *pic_ignition_row(const struct pic_ignition_row *table,
						const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

const char *pic_ignition_type_text(enum pic_ignition_type type)
{
	static const char *const texts[] = {
		[PIC_IGNITION_TEXT] = "a text",
		[PIC_IGNITION_INTEGER] = "an integer",
		[PIC_IGNITION_BOOL] = "true or false",
		[PIC_IGNITION_OBJECT] = "an object",
		[PIC_IGNITION_LIST] = "a list of objects",
		[PIC_IGNITION_TEXTS] = "a list of texts",
	};

	return texts[type];
}
