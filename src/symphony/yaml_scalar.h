/* Inside symphony/yaml: what a plain scalar means, as Kubernetes' tools read YAML 1.1. */
#ifndef PIC_SYMPHONY_YAML_SCALAR_H
#define PIC_SYMPHONY_YAML_SCALAR_H

#include <stdbool.h>

#include "base/json.h"

/* null, true/yes/on, integers in bases 2, 8, 10 and 16, floats; NULL when it is a text. Numbers keep their
 * literal where JSON allows it. Not for .inf and .nan: they are texts to JSON, see is_not_json. */
struct pic_json *pic_yaml_plain(const char *text);
/* .inf, -.inf, .nan: numbers in YAML that JSON has not. */
bool pic_yaml_is_not_json(const char *text);

#endif
