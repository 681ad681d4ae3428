/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_NOISE_H
#define SUPPORT_NOISE_H
/* Repeatable random numbers for synthetic training runs. */
#include <stdint.h>

struct tv_noise {
    uint64_t seed;
};

double tv_noise_uniform(struct tv_noise *noise); /* 0 <= x < 1 */
double tv_noise_normal(struct tv_noise *noise);  /* mean 0, standard deviation 1 */

#endif
