/* What a diagnosis shows of the device: its lines as they come, its metrics now and then. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/diagnose.h"

#define FOLLOW_MS (1000LL * 3600 * 24 * 366)

static int print_bytes(void *data, const void *bytes, size_t size)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4 * size + 16);

	(void)data;
	pic_text_escape(bytes, size, true, &text);
	fwrite(text.data, 1, text.size, stdout);
	return fflush(stdout) == 0 ? 0 : -1;
}

static void follow_lines(struct pic_diagnose *diagnose)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ctl_call call = { .method = "GET",
				     .receive = print_bytes,
				     .timeout_ms = FOLLOW_MS };

	pic_buf_format(&path, "/piccolo/v1/devices/%s/logs/%s/%s?lines=100&follow=1",
		       diagnose->device, diagnose->instance, PIC_DIAGNOSE_COMPONENT);
	call.path = pic_buf_text(&path);
	pic_ctl_call(diagnose->ctl, &call, &answer, &err);
}

/* A process of its own: a followed log waits, and so do we for the end. */
void pic_diagnose_lines_start(struct pic_diagnose *diagnose)
{
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		follow_lines(diagnose);
		_exit(0);
	}
	diagnose->lines = pid > 0 ? pid : 0;
}

void pic_diagnose_lines_stop(struct pic_diagnose *diagnose)
{
	if (!diagnose->lines)
		return;
	kill(diagnose->lines, SIGKILL);
	waitpid(diagnose->lines, NULL, 0);
	diagnose->lines = 0;
}

static bool is_label(const char *line, const char *name, const char *value)
{
	char label[2 * PIC_NAME_MAX + 8];

	snprintf(label, sizeof(label), "%.63s=\"%.63s\"", name, value);
	return strstr(line, label) != NULL;
}

/* Those of the program's own maps; what the device says of each workload is no news here. */
static void print_metric(const struct pic_diagnose *diagnose, const char *line)
{
	if (*line == '#' || !is_label(line, "instance", diagnose->instance) ||
	    !is_label(line, "component", PIC_DIAGNOSE_COMPONENT) ||
	    pic_text_starts(line, "piccolo_workload") || pic_text_starts(line, "piccolo_component"))
		return;
	pic_ctl_print_text(line);
}

void pic_diagnose_print_metrics(struct pic_diagnose *diagnose)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ctl_call call = { .method = "GET" };
	char *rest = NULL;

	pic_buf_format(&path, "/piccolo/v1/devices/%s/metrics", diagnose->device);
	call.path = pic_buf_text(&path);
	/* a scrape that fails is followed by another one */
	if (pic_ctl_call(diagnose->ctl, &call, &answer, &err) < 0 || !answer.body.data)
		return;
	for (char *line = strtok_r(answer.body.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		print_metric(diagnose, line);
	fflush(stdout);
}
