// What stands in `pages`, each file a constant and a row of the table.
#include "Assets.h"

#define FOOTFALL_BYTES(name) static const uint8_t name[] =

FOOTFALL_BYTES(base_css) {
#embed "pages/base.css"
};
FOOTFALL_BYTES(chart_js) {
#embed "pages/chart.js"
};
FOOTFALL_BYTES(dashboard_css) {
#embed "pages/dashboard.css"
};
FOOTFALL_BYTES(dashboard_html) {
#embed "pages/dashboard.html"
};
FOOTFALL_BYTES(dashboard_js) {
#embed "pages/dashboard.js"
};
FOOTFALL_BYTES(docs_css) {
#embed "pages/docs.css"
};
FOOTFALL_BYTES(docs_html) {
#embed "pages/docs.html"
};
FOOTFALL_BYTES(docs_js) {
#embed "pages/docs.js"
};
FOOTFALL_BYTES(docs_schema_js) {
#embed "pages/docs-schema.js"
};
FOOTFALL_BYTES(docs_try_js) {
#embed "pages/docs-try.js"
};
FOOTFALL_BYTES(dom_js) {
#embed "pages/dom.js"
};
FOOTFALL_BYTES(format_js) {
#embed "pages/format.js"
};
FOOTFALL_BYTES(icon_svg) {
#embed "pages/icon.svg"
};
FOOTFALL_BYTES(inter_regular_woff2) {
#embed "pages/inter-regular.woff2"
};
FOOTFALL_BYTES(inter_semibold_woff2) {
#embed "pages/inter-semibold.woff2"
};
FOOTFALL_BYTES(ledger_js) {
#embed "pages/ledger.js"
};
FOOTFALL_BYTES(lists_js) {
#embed "pages/lists.js"
};
FOOTFALL_BYTES(live_js) {
#embed "pages/live.js"
};
FOOTFALL_BYTES(metric_js) {
#embed "pages/metric.js"
};
FOOTFALL_BYTES(openapi_json) {
#embed "pages/openapi.json"
};
FOOTFALL_BYTES(overview_js) {
#embed "pages/overview.js"
};
FOOTFALL_BYTES(stats_js) {
#embed "pages/stats.js"
};
FOOTFALL_BYTES(theme_js) {
#embed "pages/theme.js"
};

#define FOOTFALL_ROW(name, bytes) {name, bytes, sizeof bytes}

static const struct footfall_asset table[] = {
    FOOTFALL_ROW("base.css", base_css),
    FOOTFALL_ROW("chart.js", chart_js),
    FOOTFALL_ROW("dashboard.css", dashboard_css),
    FOOTFALL_ROW("dashboard.html", dashboard_html),
    FOOTFALL_ROW("dashboard.js", dashboard_js),
    FOOTFALL_ROW("docs.css", docs_css),
    FOOTFALL_ROW("docs.html", docs_html),
    FOOTFALL_ROW("docs.js", docs_js),
    FOOTFALL_ROW("docs-schema.js", docs_schema_js),
    FOOTFALL_ROW("docs-try.js", docs_try_js),
    FOOTFALL_ROW("dom.js", dom_js),
    FOOTFALL_ROW("format.js", format_js),
    FOOTFALL_ROW("icon.svg", icon_svg),
    FOOTFALL_ROW("inter-regular.woff2", inter_regular_woff2),
    FOOTFALL_ROW("inter-semibold.woff2", inter_semibold_woff2),
    FOOTFALL_ROW("ledger.js", ledger_js),
    FOOTFALL_ROW("lists.js", lists_js),
    FOOTFALL_ROW("live.js", live_js),
    FOOTFALL_ROW("metric.js", metric_js),
    FOOTFALL_ROW("openapi.json", openapi_json),
    FOOTFALL_ROW("overview.js", overview_js),
    FOOTFALL_ROW("stats.js", stats_js),
    FOOTFALL_ROW("theme.js", theme_js),
};

const struct footfall_asset *const footfall_assets = table;
const size_t footfall_asset_count = sizeof table / sizeof *table;
