#include "hub/kubeconfig.h"

#include <string.h>

#include "base/text.h"

void pic_kubeconfig_write(const char *server, const char *authority_pem, const char *token,
			  struct pic_buf *out)
{
	pic_buf_format(out,
		       "apiVersion: v1\n"
		       "kind: Config\n"
		       "clusters:\n"
		       "- name: piccolo\n"
		       "  cluster:\n"
		       "    server: %s\n"
		       "    certificate-authority-data: ",
		       server);
	pic_base64_encode(authority_pem, strlen(authority_pem), out);
	pic_buf_format(out,
		       "\n"
		       "users:\n"
		       "- name: admin\n"
		       "  user:\n"
		       "    token: %s\n"
		       "contexts:\n"
		       "- name: piccolo\n"
		       "  context:\n"
		       "    cluster: piccolo\n"
		       "    user: admin\n"
		       "    namespace: default\n"
		       "current-context: piccolo\n",
		       token);
}
