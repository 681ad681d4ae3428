/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_SETTINGS_H
#define SUPPORT_SETTINGS_H
/* Settings as facts, for tests of what is made of them. */
#include "model/facts.h"
#include <json-c/json.h>

void tv_settings_add(struct tv_facts *facts, const char *key, const char *value,
                     enum tv_fact_source source);
/* Every value of a JSON tree; nested keys are joined by '.', as parsers do it. */
void tv_settings_tree(struct tv_facts *facts, const char *key, struct json_object *value,
                      enum tv_fact_source source);
/* The same from JSON text in which quotes may be single; aborts when it is no JSON. */
void tv_settings_text(struct tv_facts *facts, const char *json, enum tv_fact_source source);

#endif
