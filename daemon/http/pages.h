/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H
/* What each address answers with. Bodies are malloc'd. */
#include "service/service.h"

/* A part of a list. */
struct tv_page_part {
    size_t offset, limit;
    int state;    /* enum tv_alert_state, -1: any; of alerts */
    size_t total; /* returned: how many there are in all */
};
char *tv_page_runs(const struct tv_service *service, struct tv_page_part *part, size_t *ret_len);
char *tv_page_alerts(const struct tv_service *service, struct tv_page_part *part, size_t *ret_len);
/* "ok", or what is wrong; *ret_well says which. */
char *tv_page_health(const struct tv_service *service, size_t *ret_len, bool *ret_well);

#endif
