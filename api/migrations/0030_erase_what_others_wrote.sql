-- An erasure takes the address also out of what others wrote when they agreed or withdrew: of these details the app may change
-- what people typed, and nothing else. Their digest stays in the record.

grant update (policy_version, page, form_name, source, evidence) on consent_details to marketing_app;
