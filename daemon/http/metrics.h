/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H
/* The page of metrics, made in turns. */
#include "service/service.h"

struct tv_metrics;

struct tv_metrics *tv_metrics_begin(const struct tv_service *service);
/* Goes on for about so long; true when the page is complete. Runs and alerts may come and go in
 * between: each is in the page once or not at all. When all runs are followed anew it begins again.
 */
bool tv_metrics_work(struct tv_metrics *metrics, double seconds);
/* The complete page, malloc'd. Frees the rest. */
char *tv_metrics_end(struct tv_metrics *metrics, size_t *ret_len);
void tv_metrics_free(struct tv_metrics *metrics); /* NULL allowed */

#endif
