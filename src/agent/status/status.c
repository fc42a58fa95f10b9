/*
 * RUN_DIR/agent/status.sock: whoever connects is told the state of the device as one JSON document, then
 * the connection ends. Read-only, for everybody on the machine, also while the hub is away.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/context.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define CLIENTS_MAX 16
#define ROOM (2 * PIC_REPORT_SIZE_MAX)

struct pic_status_server {
	struct pic_agent *agent;
	int fd;
	struct pic_watch *watch;
	unsigned clients;
	char path[108];
};

struct client {
	struct pic_status_server *server;
	int fd;
};

/* What `piccolo status` wants to know besides what the hub is told. */
static void add_link(const struct pic_agent *agent, struct pic_json *root)
{
	const struct pic_link_state *state = pic_agent_link_state(agent);
	char contact[PIC_TIME_TEXT];

	const bool joining = agent->join_timer && !agent->identity.hub;
	const char *hub = joining ? agent->settings->hub : agent->identity.hub;

	pic_json_set_text(root, "hub", hub ? hub : "");
	pic_json_set_text(root, "connection",
			  joining ? "joining" : pic_link_connection_text(state->connection));
	pic_json_set_text(root, "reason",
			  agent->join_problem[0] ? agent->join_reason : state->reason);
	pic_json_set_text(root, "problem",
			  agent->join_problem[0] ? agent->join_problem : state->problem);
	if (state->contact_wall_ms) {
		pic_time_format(state->contact_wall_ms, contact);
		pic_json_set_text(root, "last-contact", contact);
	}
	if (agent->settings->file)
		pic_json_set_text(root, "file", agent->settings->file);
	pic_json_set_bool(root, "supervisor", agent->listed);
	pic_json_set_text(root, "policy-problem", agent->policy_problem);
}

static void add_problems(const struct pic_agent_settings *settings, struct pic_json *root)
{
	struct pic_json *list = pic_json_new_array();

	for (size_t i = 0; i < settings->problem_count; i++) {
		struct pic_json *entry = pic_json_new_object();

		pic_json_set_text(entry, "code", settings->problems[i].code);
		pic_json_set_text(entry, "state", settings->problems[i].state);
		pic_json_set_text(entry, "message", settings->problems[i].text);
		pic_json_set_text(entry, "advice", settings->problems[i].advice);
		pic_json_append(list, entry);
	}
	pic_json_set(root, "problems", list);
}

static int write_status(struct pic_agent *agent, struct pic_buf *out)
{
	PIC_BUF struct pic_buf report = PIC_BUF_INIT(PIC_REPORT_SIZE_MAX);
	PIC_JSON struct pic_json *root = NULL;
	int r = pic_agent_report_write(agent, &report);

	if (r == 0)
		r = pic_json_parse(&root, pic_buf_text(&report), report.size, NULL);
	if (r < 0)
		return r;
	add_link(agent, root);
	add_problems(agent->settings, root);
	r = pic_json_write(root, PIC_JSON_INDENT, out);
	pic_buf_char(out, '\n');
	return out->failed ? -ENOBUFS : r;
}

static void serve(struct pic_agent *agent, void *data)
{
	struct client *client = data;
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(ROOM);

	/* a reader that is too slow for a socket's buffer gets half a document and asks again */
	if (write_status(agent, &text) < 0 ||
	    pic_fd_write_all(client->fd, text.data, text.size) < 0)
		pic_log(PIC_LOG_DEBUG, "status-not-told");
	close(client->fd);
	client->server->clients--;
	free(client);
	pic_agent_trim_soon(agent);
}

static void on_connect(void *data, int listen_fd, uint32_t events)
{
	struct pic_status_server *server = data;
	PIC_FD int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = fd >= 0 && server->clients < CLIENTS_MAX ? malloc(sizeof(*client))
									 : NULL;
	const int room = ROOM;

	(void)events;
	if (!client)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	*client = (struct client){ .server = server, .fd = PIC_STEAL_FD(fd) };
	server->clients++;
	pic_agent_when_fresh(server->agent, serve, client);
}

static int listen_at(struct pic_status_server *server, const char *run_folder,
		     struct pic_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/agent/status.sock",
			      run_folder);

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the path of the runtime folder %s is too long", run_folder);
	memcpy(server->path, address.sun_path, sizeof(address.sun_path));
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(address.sun_path);
	if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(address.sun_path, 0666) < 0 || listen(server->fd, CLIENTS_MAX) < 0)
		return pic_error_errno(err, errno, "%s cannot be made", address.sun_path);
	return 0;
}

int pic_agent_status_open(struct pic_agent *agent, struct pic_error *err)
{
	struct pic_status_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return pic_error_set(err, -ENOMEM, "no memory for the status socket");
	server->agent = agent;
	server->fd = -1;
	agent->status_server = server;
	r = listen_at(server, agent->settings->run_folder, err);
	return r < 0 ? r
		     : pic_loop_watch(agent->loop, server->fd, EPOLLIN, on_connect, server,
				      &server->watch, err);
}

void pic_agent_status_close(struct pic_agent *agent)
{
	struct pic_status_server *server = PIC_STEAL(agent->status_server);

	if (!server)
		return;
	pic_watch_free(server->watch);
	if (server->fd >= 0)
		unlink(server->path);
	pic_close_fd(&server->fd);
	free(server);
}
