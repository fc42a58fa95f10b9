/*
 * diagnose DEVICE FILE: a program in one device's kernel, by permission and for a limited time. Asks,
 * follows, shows lines and metrics, and leaves nothing when it ends, however it ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "ctl/diagnose.h"

#define LOOK_MS 300
#define METRICS_MS 5000
#define UNREACHABLE_MS 60000
/* So long the device may try: two or three starts, in which what passes has passed. */
#define TRIES_MS 5000

static volatile sig_atomic_t is_interrupted;

static void on_signal(int signo)
{
	is_interrupted = signo;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static bool is_over(const struct pic_diagnose *diagnose)
{
	return strcmp(diagnose->phase, "Pending") != 0 && strcmp(diagnose->phase, "Approved") != 0;
}

/* One line for each change. */
static void tell(const struct pic_diagnose *diagnose, char last_phase[16], char last_state[1024])
{
	const bool is_open = strcmp(diagnose->phase, "Approved") == 0;

	if (strcmp(last_phase, diagnose->phase) != 0 && strcmp(diagnose->phase, "Pending") != 0)
		printf("request %s: %s%s%s\n", diagnose->approval, diagnose->phase,
		       is_open ? ", ends " : "", is_open ? diagnose->ends : "");
	if (strcmp(last_state, diagnose->state) != 0 && *diagnose->state) {
		printf("%s: ", diagnose->device);
		pic_ctl_print_text(diagnose->state);
	}
	fflush(stdout);
	snprintf(last_phase, 16, "%s", diagnose->phase);
	snprintf(last_state, 1024, "%s", diagnose->state);
}

/* A hub that is being restarted does not end a diagnosis; one that stays away does. */
static int look(struct pic_diagnose *diagnose, int64_t *seen_ms, struct pic_error *err)
{
	int r = pic_diagnose_look(diagnose, err);

	if (r == 0)
		*seen_ms = pic_clock_boot_ms();
	if (r == -EHOSTUNREACH && pic_clock_boot_ms() - *seen_ms < UNREACHABLE_MS)
		return 0;
	return r;
}

/* A program that cannot run there keeps no permission. *since_ms: when its first try failed, or 0. */
static int check_trouble(const struct pic_diagnose *diagnose, int64_t *since_ms,
			 struct pic_error *err)
{
	const int64_t now = pic_clock_boot_ms();
	const bool refused = diagnose->trouble == PIC_DIAGNOSE_REFUSED;

	if (diagnose->has_run && diagnose->trouble == PIC_DIAGNOSE_FAILS)
		return 0;
	if (diagnose->trouble == PIC_DIAGNOSE_FAILS && !*since_ms)
		*since_ms = now;
	if (diagnose->trouble == PIC_DIAGNOSE_WELL ||
	    (diagnose->trouble == PIC_DIAGNOSE_FAILS && now - *since_ms < TRIES_MS))
		return 0;
	return pic_error_set(err, refused ? -EACCES : -ENOEXEC,
			     "the program does not run on %s: %s", diagnose->device,
			     diagnose->message);
}

static int follow(struct pic_diagnose *diagnose, struct pic_error *err)
{
	const struct timespec pause = { 0, LOOK_MS * 1000000L };
	int64_t seen_ms = pic_clock_boot_ms(), metrics_ms = 0, fails_ms = 0;
	char last_phase[16] = "", last_state[1024] = "";
	int r = 0;

	while (!is_interrupted) {
		r = look(diagnose, &seen_ms, err);
		if (r < 0)
			break;
		tell(diagnose, last_phase, last_state);
		if (is_over(diagnose))
			break;
		r = check_trouble(diagnose, &fails_ms, err);
		if (r < 0)
			break;
		if (diagnose->is_running && !diagnose->lines)
			pic_diagnose_lines_start(diagnose);
		if (diagnose->is_running && pic_clock_boot_ms() >= metrics_ms) {
			pic_diagnose_print_metrics(diagnose);
			metrics_ms = pic_clock_boot_ms() + METRICS_MS;
		}
		nanosleep(&pause, NULL);
	}
	pic_diagnose_lines_stop(diagnose);
	return r;
}

static bool is_phase(const struct pic_diagnose *diagnose, const char *phase)
{
	return strcmp(diagnose->phase, phase) == 0;
}

static int end(struct pic_diagnose *diagnose, int status)
{
	struct pic_error err = PIC_ERROR_INIT;

	/* looks once more: the phase is then that in which it found the request */
	if (pic_diagnose_end(diagnose, &err) < 0)
		return pic_ctl_fail(&err);
	const bool was_allowed = is_phase(diagnose, "Approved") || is_phase(diagnose, "Ended");
	if (was_allowed)
		printf("%s: %s\n", diagnose->device,
		       diagnose->has_run ? "the program is gone" : "nothing of it is left");
	if (status != PIC_EXIT_OK)
		return status;
	if (is_phase(diagnose, "Rejected") || is_phase(diagnose, "Revoked"))
		return PIC_EXIT_REFUSED;
	return was_allowed ? PIC_EXIT_OK : PIC_EXIT_FAILED;
}

static int check_words(const struct pic_ctl *ctl, char **argv, struct pic_error *err)
{
	if (!pic_name_is_valid(argv[0], PIC_NAME_MAX))
		return pic_error_set(err, PIC_CTL_USAGE, "'%s' is no name of a device", argv[0]);
	if (!ctl->reason || !*ctl->reason)
		return pic_error_set(err, PIC_CTL_USAGE,
				     "say why with --reason: it is what the approver reads");
	return 0;
}

int pic_ctl_diagnose(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_diagnose diagnose = { .ctl = ctl, .device = argv[0], .file = argv[1] };
	struct pic_error err = PIC_ERROR_INIT;
	int status = PIC_EXIT_OK;
	unsigned char random[6];
	char suffix[2 * sizeof(random) + 1];

	(void)argc;
	if (check_words(ctl, argv, &err) < 0 || pic_ctl_space(ctl, &diagnose.space, &err) < 0)
		return pic_ctl_fail(&err);
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		pic_error_errno(&err, errno, "no random numbers");
		return pic_ctl_fail(&err);
	}
	pic_hex_encode(random, sizeof(random), suffix);
	snprintf(diagnose.name, sizeof(diagnose.name), "diagnose-%s", suffix);
	catch_signals();
	if (pic_diagnose_begin(&diagnose, &err) < 0 || follow(&diagnose, &err) < 0)
		status = pic_ctl_fail(&err);
	return end(&diagnose, status);
}
