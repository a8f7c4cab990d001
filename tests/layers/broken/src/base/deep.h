/* SPDX-License-Identifier: Apache-2.0 */
/* Private, and yet included by a public header. */
