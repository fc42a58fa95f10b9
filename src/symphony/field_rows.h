/*
 * Rows of a table of fields (symphony/kind.h), short to write. For the files that hold such tables, and for
 * nobody else: the names are plain words.
 */
#ifndef PIC_SYMPHONY_FIELD_ROWS_H
#define PIC_SYMPHONY_FIELD_ROWS_H

#include "symphony/kind.h"

#define TEXT(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_TEXT, .help = (h) \
	}
#define TEXT_REQUIRED(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_TEXT, .required = true, .help = (h) \
	}
#define NUMBER(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_INTEGER, .help = (h) \
	}
#define BOOLEAN(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_BOOL, .help = (h) \
	}
#define TEXT_MAP(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_TEXT_MAP, .help = (h) \
	}
#define ANY_MAP(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_OBJECT, .help = (h) \
	}
#define TEXT_LIST(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_LIST, .item = PIC_FIELD_TEXT, .help = (h) \
	}
#define LIST(n, f, h) \
	{ \
		.name = (n), .type = PIC_FIELD_LIST, .item = PIC_FIELD_OBJECT, .fields = (f), \
		.help = (h) \
	}
#define MAP(n, f, h) \
	{ \
		.name = (n), .type = PIC_FIELD_MAP, .fields = (f), .help = (h) \
	}
#define ANY(n, h) \
	{ \
		.name = (n), .type = PIC_FIELD_ANY, .help = (h) \
	}
#define PART(n, f, h) \
	{ \
		.name = (n), .type = PIC_FIELD_OBJECT, .fields = (f), .help = (h) \
	}
#define END \
	{ \
		.name = NULL \
	}

#endif
