-- Which lead an address was corrected from is asked of every new lead: what that one withdrew binds it (src/product/consent/take_consent.sql).
create index lead_rectifications_by_address on lead_rectifications (site_id, email_hash);
