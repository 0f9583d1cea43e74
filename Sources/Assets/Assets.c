// What stands in `pages`, each file a constant and a row of the table.
#include "Assets.h"

#define FOOTFALL_BYTES(name) static const uint8_t name[] =

FOOTFALL_BYTES(dashboard_html) {
#embed "pages/dashboard.html"
};
FOOTFALL_BYTES(docs_html) {
#embed "pages/docs.html"
};
FOOTFALL_BYTES(openapi_json) {
#embed "pages/openapi.json"
};

#define FOOTFALL_ROW(name, bytes) {name, bytes, sizeof bytes}

static const struct footfall_asset table[] = {
    FOOTFALL_ROW("dashboard.html", dashboard_html),
    FOOTFALL_ROW("docs.html", docs_html),
    FOOTFALL_ROW("openapi.json", openapi_json),
};

const struct footfall_asset *const footfall_assets = table;
const size_t footfall_asset_count = sizeof table / sizeof *table;
