//! The models of a shop: those that Endcap knows, and its own.

use std::collections::BTreeMap;

use endcap_targeting::Stage;
use serde::{Deserialize, Serialize};

use super::model::{CustomerModel, Group};
use super::own_model::{OTHER, OwnModel};

/// A model: one that Endcap knows, which is written as its name as versions before do, or one of the shop's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NamedModel {
    /// One that Endcap knows.
    Known(CustomerModel),
    /// One of the shop's own.
    Own {
        /// Its name in addresses.
        id: String,
        /// What it is.
        rules: OwnModel,
    },
}

impl From<CustomerModel> for NamedModel {
    fn from(model: CustomerModel) -> Self {
        Self::Known(model)
    }
}

impl NamedModel {
    /// The model of a name in a shop.
    #[must_use]
    pub fn find(name: &str, own: &BTreeMap<String, OwnModel>) -> Option<Self> {
        let own = || own.get(name).map(|rules| Self::Own { id: name.to_owned(), rules: rules.clone() });
        CustomerModel::parse(name).map(Self::Known).or_else(own)
    }

    /// All models of a shop.
    pub fn all(own: &BTreeMap<String, OwnModel>) -> impl Iterator<Item = Self> {
        let own = own.iter().map(|(id, rules)| Self::Own { id: id.clone(), rules: rules.clone() });
        CustomerModel::ALL.into_iter().map(Self::Known).chain(own)
    }

    /// The one that Endcap knows; None of the shop's own.
    #[must_use]
    pub fn known(&self) -> Option<CustomerModel> {
        match self {
            Self::Known(model) => Some(*model),
            Self::Own { .. } => None,
        }
    }

    /// Its name in addresses.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Known(model) => model.as_str(),
            Self::Own { id, .. } => id,
        }
    }

    /// What it tells apart, in a sentence.
    #[must_use]
    pub fn about(&self) -> &str {
        match self {
            Self::Known(model) => model.about(),
            Self::Own { rules, .. } => &rules.about,
        }
    }

    /// The names of its groups, by their codes. The first is of those who have not bought yet.
    #[must_use]
    pub fn groups(&self) -> Vec<&str> {
        match self {
            Self::Known(model) => model.groups(),
            Self::Own { rules, .. } => {
                let own = rules.groups.iter().map(|group| group.group.as_str());
                [Stage::Prospect.as_str()].into_iter().chain(own).chain([OTHER]).collect()
            }
        }
    }

    /// The name of a group.
    #[must_use]
    pub fn name(&self, group: Group) -> &str {
        self.groups().get(group.code()).copied().unwrap_or_else(|| Stage::Prospect.as_str())
    }

    /// The group of a name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<Group> {
        let place = self.groups().iter().position(|group| *group == name)?;
        Group::of_code(place)
    }
}

#[cfg(test)]
mod tests {
    use endcap_models::lifecycle::{Napl, Nes};
    use endcap_models::rfm::RfmGroup;

    use super::*;

    #[test]
    fn a_shops_own_model_is_found_by_its_name() {
        let rules = serde_json::json!({"groups": [{"group": "vip", "condition": "orders > 9"}]});
        let own = BTreeMap::from([("loyalty".to_owned(), serde_json::from_value(rules).unwrap())]);
        let model = NamedModel::find("loyalty", &own).unwrap();
        assert_eq!((model.groups(), model.known()), (vec!["prospect", "vip", "other"], None));
        assert_eq!(model.name(model.group("vip").unwrap()), "vip");
        assert_eq!(NamedModel::find("rfm", &own), Some(CustomerModel::Rfm.into()));
        let written = serde_json::to_value(NamedModel::Known(CustomerModel::Rfm)).unwrap();
        assert_eq!(written, "rfm", "a shard of the version before reads it");
        let read = |written| serde_json::from_value::<NamedModel>(written).unwrap();
        assert_eq!((read(written), read(serde_json::to_value(&model).unwrap())), (CustomerModel::Rfm.into(), model));
        assert_eq!((NamedModel::find("x", &own), NamedModel::all(&own).count()), (None, 6));
    }

    #[test]
    fn every_group_has_its_own_name_and_code() {
        for model in CustomerModel::ALL {
            assert_eq!(CustomerModel::parse(model.as_str()), Some(model));
            let model = NamedModel::Known(model);
            let groups = model.groups();
            assert_eq!(groups.first(), Some(&"prospect"));
            for (code, name) in (0..).zip(&groups) {
                assert_eq!(
                    (model.group(name), model.name(Group::of_code(code).unwrap())),
                    (Some(Group::of_code(code).unwrap()), *name)
                );
            }
        }
        let name = |model: CustomerModel, group| NamedModel::Known(model).name(group).to_owned();
        assert_eq!(name(CustomerModel::Nasld, Stage::Deep.into()), "deep");
        assert_eq!(name(CustomerModel::Rfm, RfmGroup::Lost.into()), "lost");
        assert_eq!(name(CustomerModel::Napl, Napl::N.into()), "N");
        assert_eq!(name(CustomerModel::Nes, Nes::S3.into()), "S3");
        assert_eq!((CustomerModel::parse("dcui"), NamedModel::Known(CustomerModel::Nes).group("E1")), (None, None));
    }
}
