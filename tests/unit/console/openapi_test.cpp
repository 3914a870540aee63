#include "console/openapi.hpp"

#include <gtest/gtest.h>

#include "console/interface.hpp"

namespace sluice::console {
namespace {

TEST(console_openapi, tells_parameters_bodies_and_roles) {
    std::vector<route> routes;
    routes.push_back({.method = "GET",
                      .path = "/api/v1/contexts/{context}/rows",
                      .name = "list_rows",
                      .purpose = "Rows",
                      .parameters = {path_parameter("context", "name"),
                                     query_parameter("limit", "how many", parameter::kind::whole)}});
    routes.push_back({.method = "POST",
                      .path = "/api/v1/contexts/{context}/rows",
                      .needs = console_role::operating,
                      .name = "change_rows",
                      .purpose = "Change",
                      .parameters = {path_parameter("context", "name"),
                                     body_parameter("data", "fields", parameter::kind::object, true)}});
    routes.push_back({.method = "GET", .path = "/console"});
    const json::value document = openapi_document(routes);
    EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
    EXPECT_EQ(document.at("paths").as_object().size(), 1U) << "pages are no part of it";
    const json::value& path = document.at("paths").at("/api/v1/contexts/{context}/rows");
    EXPECT_EQ(path.at("get").at("parameters").at(1).at("schema").at("type").as_string(), "integer");
    EXPECT_EQ(path.at("post").at("x-role").as_string(), "operator");
    const json::value& schema = path.at("post").at("requestBody").at("content").at("application/json").at("schema");
    EXPECT_EQ(json::dump(schema.at("required")), R"(["data"])");
    EXPECT_FALSE(path.at("get").contains("requestBody"));
}

}  // namespace
}  // namespace sluice::console
