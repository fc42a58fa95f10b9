/*
 * piccoloctl diagnose, in three parts: its objects at the hub (diagnose_objects.c), what it prints of the
 * device (diagnose_output.c), and the order of things (verb_diagnose.c).
 */
#ifndef PIC_CTL_DIAGNOSE_H
#define PIC_CTL_DIAGNOSE_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/ctl.h"

#define PIC_DIAGNOSE_COMPONENT "program"

enum pic_diagnose_trouble {
	PIC_DIAGNOSE_WELL,
	PIC_DIAGNOSE_FAILS,   /* it was tried, and will be tried again */
	PIC_DIAGNOSE_CANNOT,  /* it will not be tried again as it is */
	PIC_DIAGNOSE_REFUSED, /* by the device's policy */
};

struct pic_diagnose {
	struct pic_ctl *ctl;
	const char *space, *device, *file;
	char name[PIC_NAME_MAX + 1];		/* of solution and instance */
	char approval[PIC_OBJECT_NAME_MAX + 1]; /* "" before it is asked for */
	char instance[PIC_NAME_MAX + 1];	/* as the device calls it */
	char sha256[65];
	bool has_objects;
	/* what was seen last */
	char phase[16];	  /* of the approval */
	char state[1024]; /* of the component: "Running - ..." */
	char ends[PIC_TIME_TEXT + 8];
	char message[1024]; /* of the component, alone */
	enum pic_diagnose_trouble trouble;
	bool is_running;
	bool has_run;
	pid_t lines; /* the process that prints lines; 0: none */
};

/* diagnose_objects.c */
int pic_diagnose_begin(struct pic_diagnose *diagnose, struct pic_error *err);
/* Fills what was seen last. */
int pic_diagnose_look(struct pic_diagnose *diagnose, struct pic_error *err);
/* Rejects or revokes what still stands, deletes the objects and waits until the device has let go. */
int pic_diagnose_end(struct pic_diagnose *diagnose, struct pic_error *err);

/* diagnose_output.c */
void pic_diagnose_lines_start(struct pic_diagnose *diagnose);
void pic_diagnose_lines_stop(struct pic_diagnose *diagnose);
void pic_diagnose_print_metrics(struct pic_diagnose *diagnose);

#endif
