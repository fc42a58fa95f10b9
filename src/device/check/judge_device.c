/* Findings about Piccolo's own things: clock, folders, policy, processes, hub, extension. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "device/check/judge.h"

#define SAY pic_finding_say

#define MEGABYTE (1024ULL * 1024)
#define BYTES_LEAST (1 * MEGABYTE) /* less is full: a document and a report want as much */
#define BYTES_FEW (16 * MEGABYTE)
#define INODES_LEAST 16
#define INODES_FEW 256
#define LATE_PART 6 /* of a certificate's life: the agent renews it when a third is left */

/* -- clock ------------------------------------------------------------------------------------ */

static void judge_clock(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	char now[PIC_TIME_TEXT];

	pic_time_format(facts->now_ms, now);
	if (!pic_clock_wall_is_set(facts->now_ms))
		SAY(finding, PIC_FINDING_WARNING,
		    "set the clock, or run a time service (systemd-timesyncd, chrony)",
		    "%s cannot be true: it is before this program was made; dates of certificates are not looked at",
		    now);
	else if (facts->synchronised == PIC_NO)
		SAY(finding, PIC_FINDING_WARNING, "run a time service (systemd-timesyncd, chrony)",
		    "%s, and nobody keeps it right", now);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%s%s", now,
		    facts->synchronised == PIC_YES ? ", kept right" : "");
}

/* -- folders ---------------------------------------------------------------------------------- */

static void judge_folder(const struct pic_check_folder *folder, const char *advice,
			 struct pic_finding *finding)
{
	char change[sizeof(folder->path) + 64];

	snprintf(change, sizeof(change), "chown root:root %s; chmod 0755 %s", folder->path,
		 folder->path);
	if (folder->error == -ENOENT && folder->read_only)
		SAY(finding, PIC_FINDING_ERROR, advice,
		    "%s cannot be made: the file system there is read-only", folder->path);
	else if (folder->error == -ENOENT)
		SAY(finding, PIC_FINDING_OK, NULL, "%s, made at the first start", folder->path);
	else if (folder->error)
		SAY(finding, PIC_FINDING_UNSEEN, "run as root to know",
		    "%s cannot be looked at: %s", folder->path, strerror(-folder->error));
	else if (!folder->is_folder)
		SAY(finding, PIC_FINDING_ERROR, "take it away; the supervisor makes the folder",
		    "%s is no folder", folder->path);
	else if (folder->user != 0 || folder->mode & 022)
		SAY(finding, PIC_FINDING_ERROR, change,
		    "%s must belong to root and be writable by nobody else (it is of user %u, mode %04o)",
		    folder->path, (unsigned)folder->user, (unsigned)folder->mode & 07777);
	else if (folder->read_only)
		SAY(finding, PIC_FINDING_ERROR, advice,
		    "%s is read-only: nothing new is kept, and no workload can write its log",
		    folder->path);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%s", folder->path);
}

static void judge_state(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	judge_folder(&facts->state,
		     "mount it writable (mount -o remount,rw), or name another with --state",
		     finding);
}

static void judge_run(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	judge_folder(&facts->run, "mount a tmpfs there, or name another with --run-dir", finding);
}

static void judge_disk(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	const struct pic_check_folder *disk = &facts->state;
	bool counts = disk->inodes > 0;

	if (disk->bytes == 0)
		SAY(finding, PIC_FINDING_UNSEEN, NULL, "how much room %s has is not known",
		    disk->path);
	else if (disk->bytes_free < BYTES_LEAST)
		SAY(finding, PIC_FINDING_ERROR,
		    "make room there (journalctl --vacuum-size=, old artifacts: piccolo purge)",
		    "the disk of %s is full: %llu KB are free", disk->path,
		    (unsigned long long)(disk->bytes_free / 1024));
	else if (counts && disk->inodes_free < INODES_LEAST)
		SAY(finding, PIC_FINDING_ERROR, "remove small files there",
		    "the file system of %s has no room for more files: %llu of %llu are left",
		    disk->path, (unsigned long long)disk->inodes_free,
		    (unsigned long long)disk->inodes);
	else if (disk->bytes_free < BYTES_FEW)
		SAY(finding, PIC_FINDING_WARNING,
		    "make room there before a larger artifact is deployed",
		    "the disk of %s is nearly full: %llu MB are free", disk->path,
		    (unsigned long long)(disk->bytes_free / MEGABYTE));
	else if (counts && disk->inodes_free < INODES_FEW)
		SAY(finding, PIC_FINDING_WARNING, "remove small files there",
		    "the file system of %s has room for %llu more files only", disk->path,
		    (unsigned long long)disk->inodes_free);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%llu of %llu MB are free",
		    (unsigned long long)(disk->bytes_free / MEGABYTE),
		    (unsigned long long)(disk->bytes / MEGABYTE));
}

/* -- policy and users ------------------------------------------------------------------------- */

static void judge_policy(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	const char *file = facts->policy_file;
	char change[sizeof(facts->policy_file) * 2 + 64];

	snprintf(change, sizeof(change), "chown root:root %s; chmod 0644 %s", file, file);
	if (facts->policy_error.code == -ENOENT)
		SAY(finding, PIC_FINDING_ERROR,
		    "install the one that comes with Piccolo, or write one",
		    "%s; without it nothing may start", facts->policy_error.text);
	else if (facts->policy_error.code)
		SAY(finding, PIC_FINDING_ERROR,
		    "correct it, then `systemctl reload piccolo`; until then the last good one counts",
		    "%s", facts->policy_error.text);
	else if (facts->policy_user != 0 || facts->policy_mode & 022)
		SAY(finding, PIC_FINDING_ERROR, change,
		    "%s must belong to root and be writable by nobody else (it is of user %u, mode %04o)",
		    file, (unsigned)facts->policy_user, (unsigned)facts->policy_mode & 07777);
	else if (facts->policy_types == 0)
		SAY(finding, PIC_FINDING_WARNING, "add `allow wasm` to it",
		    "%s allows no type of component", file);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%s, %u types, %u listen rules", file,
		    facts->policy_types, facts->policy_listens);
}

static void judge_users(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->policy_error.code || facts->users_seen != PIC_YES)
		SAY(finding, PIC_FINDING_UNSEEN, NULL,
		    "not looked at without policy or /etc/passwd");
	else if (facts->taken_by[0])
		SAY(finding, PIC_FINDING_ERROR,
		    "choose another range: the line `users` in policy.conf",
		    "number %u of the workloads' range %u-%u belongs to %s", facts->taken,
		    facts->user_first, facts->user_last, facts->taken_by);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%u-%u are free for workloads",
		    facts->user_first, facts->user_last);
}

static void judge_agent_user(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->has_agent)
		SAY(finding, PIC_FINDING_OK, NULL, "%s", facts->agent_name);
	else if (facts->users_seen != PIC_YES || facts->policy_error.code)
		SAY(finding, PIC_FINDING_UNSEEN, NULL,
		    "not looked at without policy or /etc/passwd");
	else
		SAY(finding, PIC_FINDING_WARNING,
		    "systemd-sysusers, or another --user; the systemd unit needs the name",
		    "there is no user %s, so number %u serves", facts->agent_name,
		    facts->user_first - 1);
}

/* -- the runtime pieces ----------------------------------------------------------------------- */

static void judge_supervisor(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->supervisor_error.code == -EACCES)
		SAY(finding, PIC_FINDING_UNSEEN, "run as root to know", "%s",
		    facts->supervisor_error.text);
	else if (facts->supervisor_error.code)
		SAY(finding, PIC_FINDING_WARNING,
		    "systemctl start piccolo, and look at `journalctl -u piccolo`", "%s",
		    facts->supervisor_error.text);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "runs, with %lld workload%s", facts->workloads,
		    facts->workloads == 1 ? "" : "s");
}

static void judge_agent(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->agent_error.code)
		SAY(finding, PIC_FINDING_WARNING,
		    "systemctl start piccolo-agent, and look at `journalctl -u piccolo-agent`",
		    "%s", facts->agent_error.text);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "runs and answers");
}

/* -- the hub ---------------------------------------------------------------------------------- */

static void judge_joined(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (facts->joined == PIC_YES)
		SAY(finding, PIC_FINDING_OK, NULL, "joined %s as %s", facts->hub_url,
		    facts->joined_as);
	else if (facts->joined == PIC_UNSEEN)
		SAY(finding, PIC_FINDING_UNSEEN, "run as root to know",
		    "whether this device has joined is the agent's secret");
	else if (facts->hub)
		SAY(finding, facts->token_file ? PIC_FINDING_WARNING : PIC_FINDING_ERROR,
		    "piccolo join with a token of `piccoloctl enroll`",
		    "hub %s is configured, but this device has not joined it", facts->hub);
	else
		SAY(finding, PIC_FINDING_WARNING,
		    "piccolo join; `piccoloctl enroll TARGET` prints the line", "no hub is set");
}

static void judge_hub(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	int code = facts->hub_error.code;

	if (!facts->hub_asked)
		return;
	if (code == -EKEYREJECTED)
		SAY(finding, PIC_FINDING_ERROR,
		    "compare address and pin with `piccoloctl enroll`; after a new hub, join again with its token",
		    "%s", facts->hub_error.text);
	else if (code == -EHOSTUNREACH)
		SAY(finding, PIC_FINDING_ERROR,
		    "look at network, name service and firewall; workloads go on meanwhile", "%s",
		    facts->hub_error.text);
	else if (code)
		SAY(finding, PIC_FINDING_ERROR, "look whether the address is that of a piccolo-hub",
		    "%s", facts->hub_error.text);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%s answers, and it is the one it should be",
		    facts->hub_url);
}

static void judge_certificate(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	char end[PIC_TIME_TEXT];

	if (facts->joined != PIC_YES)
		return;
	pic_time_format(facts->not_after_ms, end);
	if (facts->certificate_error.code)
		SAY(finding, PIC_FINDING_ERROR, "piccolo join with a new token", "%s",
		    facts->certificate_error.text);
	else if (strcmp(facts->certificate_name, facts->joined_as) != 0)
		SAY(finding, PIC_FINDING_ERROR, "piccolo join with a token for this device",
		    "the certificate is for %s, but this device is %s", facts->certificate_name,
		    facts->joined_as);
	else if (facts->target && strcmp(facts->target, facts->joined_as) != 0)
		SAY(finding, PIC_FINDING_ERROR,
		    "piccolo join for the new name, or correct piccolo.conf",
		    "the configuration says %s, but this device has joined as %s", facts->target,
		    facts->joined_as);
	else if (!pic_clock_wall_is_set(facts->now_ms))
		SAY(finding, PIC_FINDING_UNSEEN, NULL,
		    "for %s; its dates mean nothing before the clock is set",
		    facts->certificate_name);
	else if (facts->now_ms > facts->not_after_ms)
		SAY(finding, PIC_FINDING_ERROR,
		    "piccolo join with a new token of `piccoloctl enroll`",
		    "the device's certificate has expired at %s", end);
	else if (facts->now_ms < facts->not_before_ms)
		SAY(finding, PIC_FINDING_ERROR, "compare the clocks of device and hub",
		    "the device's certificate is not valid yet: this clock is behind the hub's");
	else if (facts->not_after_ms - facts->now_ms <
		 (facts->not_after_ms - facts->not_before_ms) / LATE_PART)
		SAY(finding, PIC_FINDING_WARNING,
		    "let the agent reach its hub: it renews the certificate itself",
		    "the device's certificate ends at %s and should have been renewed", end);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "for %s, until %s", facts->certificate_name,
		    end);
}

static void judge_token(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (!facts->token_file)
		return;
	if (facts->token_there == PIC_NO)
		SAY(finding, PIC_FINDING_OK, NULL, "%s is gone, as it should be",
		    facts->token_file);
	else if (facts->token_there == PIC_UNSEEN)
		SAY(finding, PIC_FINDING_UNSEEN, "run as root to know", "%s cannot be looked at",
		    facts->token_file);
	else if (facts->joined == PIC_YES)
		SAY(finding, PIC_FINDING_WARNING, "remove the file and the line `token-file`",
		    "%s still lies there, though this device has joined", facts->token_file);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%s waits for the first contact",
		    facts->token_file);
}

/* -- the system extension --------------------------------------------------------------------- */

static void judge_extension(const struct pic_check_facts *facts, struct pic_finding *finding)
{
	if (!facts->extension[0])
		return;
	if (facts->extension_architecture[0] && facts->extension_wanted[0] &&
	    strcmp(facts->extension_architecture, facts->extension_wanted) != 0)
		SAY(finding, PIC_FINDING_ERROR, "bring the image for this machine",
		    "%s is for %s machines, and this is %s", facts->extension,
		    facts->extension_architecture, facts->extension_wanted);
	else if (!facts->merged)
		SAY(finding, PIC_FINDING_ERROR,
		    "systemd-sysext refresh, and read what it ignores; `sha256sum` tells a damaged image",
		    "%s is there, but not merged into /usr", facts->extension);
	else
		SAY(finding, PIC_FINDING_OK, NULL, "%s is merged", facts->extension);
}

const struct pic_judge pic_judges_device[] = {
	{ "P12", "clock", judge_clock, true },
	{ "P13", "state folder", judge_state, true },
	{ "P14", "disk", judge_disk, true },
	{ "P15", "run folder", judge_run, false },
	{ "P16", "policy", judge_policy, false },
	{ "P17", "users", judge_users, false },
	{ "P18", "agent's user", judge_agent_user, false },
	{ "P19", "supervisor", judge_supervisor, false },
	{ "P20", "agent", judge_agent, false },
	{ "P21", "joined", judge_joined, false },
	{ "P22", "hub", judge_hub, false },
	{ "P23", "certificate", judge_certificate, true },
	{ "P24", "token", judge_token, true },
	{ "P25", "extension", judge_extension, true },
	{ .code = NULL },
};
