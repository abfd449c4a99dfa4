"""What packages add to the models of a project: names for queries, and managers.

Facts are those that Django tells of models which are made with the package (`_meta.get_fields()` of the
model and of the models that its relations lead to), with the release of the package that is named.
"""

from __future__ import annotations

from collections.abc import Mapping

# Base classes of models, and mixins beside them, with the fields and relations that they bring along.
BASES: Mapping[str, frozenset[str]] = {
    # django-dirtyfields 1.9
    "dirtyfields.DirtyFieldsMixin": frozenset(),
    # django-extensions 4.1
    "django_extensions.db.models.ActivatorModel": frozenset({"status", "activate_date", "deactivate_date"}),
    "django_extensions.db.models.TimeStampedModel": frozenset({"created", "modified"}),
    "django_extensions.db.models.TitleDescriptionModel": frozenset({"title", "description"}),
    "django_extensions.db.models.TitleSlugDescriptionModel": frozenset({"title", "description", "slug"}),
    # django-guardian 3.5
    "guardian.mixins.GuardianUserMixin": frozenset(),
    # django-lifecycle 1.3
    "django_lifecycle.LifecycleModel": frozenset(),
    "django_lifecycle.LifecycleModelMixin": frozenset(),
    "django_lifecycle.models.LifecycleModel": frozenset(),
    # django-modelcluster 6.5
    "modelcluster.models.ClusterableModel": frozenset(),
    # django-model-utils 5.0
    "model_utils.models.SoftDeletableModel": frozenset({"is_removed"}),
    "model_utils.models.StatusModel": frozenset({"status", "status_changed"}),
    "model_utils.models.TimeFramedModel": frozenset({"start", "end"}),
    "model_utils.models.TimeStampedModel": frozenset({"created", "modified"}),
    "model_utils.models.UUIDModel": frozenset(),
    # django-mptt 0.20
    "mptt.models.MPTTModel": frozenset({"lft", "rght", "tree_id", "level"}),
    # django-ordered-model 3.7
    "ordered_model.models.OrderedModel": frozenset({"order"}),
    "ordered_model.models.OrderedModelBase": frozenset(),
    # django-parler 2.4
    "parler.models.TranslatableModel": frozenset({"translations"}),
    # django-polymorphic 4.11
    "polymorphic.models.PolymorphicModel": frozenset(
        {"polymorphic_ctype", "polymorphic_ctype_id", "instance_of", "not_instance_of"}
    ),
    # django-prometheus 2.5
    "django_prometheus.models.ExportModelOperationsMixin()": frozenset(),
    # rules 3.5
    "rules.contrib.models.RulesModel": frozenset(),
    "rules.contrib.models.RulesModelMixin": frozenset(),
    # django-safedelete 1.5
    "safedelete.models.SafeDeleteMixin": frozenset({"deleted", "deleted_by_cascade"}),
    "safedelete.models.SafeDeleteModel": frozenset({"deleted", "deleted_by_cascade"}),
    # django-solo 2.5
    "solo.models.SingletonModel": frozenset(),
    # django-taggit 6.1
    "taggit.models.TagBase": frozenset({"name", "slug"}),
    # django-treebeard 5.3
    "treebeard.models.Node": frozenset(),
    "treebeard.mp_tree.MP_Node": frozenset({"path", "depth", "numchild"}),
    "treebeard.ns_tree.NS_Node": frozenset({"lft", "rgt", "tree_id", "depth"}),
    # wagtail 8.0
    "wagtail.models.DraftStateMixin": frozenset(
        {
            "live", "has_unpublished_changes", "first_published_at", "last_published_at", "live_revision",
            "live_revision_id", "go_live_at", "expire_at", "expired",
        }
    ),
    "wagtail.models.Orderable": frozenset({"sort_order"}),
    "wagtail.models.PreviewableMixin": frozenset(),
    "wagtail.search.index.Indexed": frozenset(),
}  # fmt: skip

# Those of them that are no models themselves.
MIXINS = frozenset(
    {
        "dirtyfields.DirtyFieldsMixin", "django_lifecycle.LifecycleModelMixin",
        "django_prometheus.models.ExportModelOperationsMixin()", "guardian.mixins.GuardianUserMixin",
        "rules.contrib.models.RulesModelMixin", "wagtail.search.index.Indexed",
    }
)  # fmt: skip

# Relations of packages that are found, named and followed as those of Django that they inherit from.
RELATIONS: Mapping[str, tuple[str, ...]] = {
    # django-annoying 0.10
    "annoying.fields.AutoOneToOneField": ("django.db.models.OneToOneField",),
    # django-modelcluster 6.5
    "modelcluster.fields.ParentalKey": ("django.db.models.ForeignKey",),
    "modelcluster.fields.ParentalManyToManyField": ("django.db.models.ManyToManyField",),
    # django-mptt 0.20
    "mptt.fields.TreeForeignKey": ("django.db.models.ForeignKey",),
    "mptt.fields.TreeManyToManyField": ("django.db.models.ManyToManyField",),
    "mptt.fields.TreeOneToOneField": ("django.db.models.OneToOneField",),
    # django-simple-history 3.13
    "simple_history.models.HistoricForeignKey": ("django.db.models.ForeignKey",),
    # django-sortedm2m 4.0
    "sortedm2m.fields.SortedManyToManyField": ("django.db.models.ManyToManyField",),
}

# What a model's class body may create without giving the model other names than those that the name it is
# bound to is part of. Fields of packages do no more: so it was with 40 of them, of 27 packages.
ATTACHMENTS: Mapping[str, frozenset[str]] = {
    # django-auditlog 3.4
    "auditlog.models.AuditlogHistoryField": frozenset(),
    # django-model-utils 5.0
    "model_utils.FieldTracker": frozenset(),
    "model_utils.tracker.FieldTracker": frozenset(),
    # django-modelcluster 6.5
    "modelcluster.contrib.taggit.ClusterTaggableManager": frozenset({"tagged_items"}),
    # django-parler 2.4
    "parler.models.TranslatedFields": frozenset(),
    # django-simple-history 3.13
    "simple_history.models.HistoricalRecords": frozenset(),
    # django-taggit 6.1
    "taggit.managers.TaggableManager": frozenset({"tagged_items"}),
}

# Decorators of models, with the relations that lead back to the model because of them.
DECORATORS: Mapping[str, frozenset[str]] = {
    "django.utils.encoding.python_2_unicode_compatible": frozenset(),
    "six.python_2_unicode_compatible": frozenset(),
    # django-pghistory 3.9; other names are texts in the call
    "pghistory.track": frozenset({"events"}),
    # django-reversion 6.4
    "reversion.register": frozenset(),
    "reversion.revisions.register": frozenset(),
}

# Managers whose querysets have all rows, or some of them, and no columns that the model does not have.
MANAGERS = frozenset(
    {
        # django-extensions 4.1
        "django_extensions.db.models.ActivatorModelManager",
        # django-model-utils 5.0
        "model_utils.managers.InheritanceManager", "model_utils.managers.QueryManager",
        "model_utils.managers.SoftDeletableManager",
        # django-mptt 0.20
        "mptt.managers.TreeManager",
        # django-ordered-model 3.7
        "ordered_model.models.OrderedModelManager",
        # django-parler 2.4
        "parler.managers.TranslatableManager",
        # django-polymorphic 4.11
        "polymorphic.managers.PolymorphicManager",
        # django-safedelete 1.5
        "safedelete.managers.SafeDeleteManager",
        # django-treebeard 5.3
        "treebeard.mp_tree.MP_NodeManager", "treebeard.ns_tree.NS_NodeManager",
    }
)  # fmt: skip
