"""What people may enter about people."""

from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm

from console.accounts.mail import recently
from console.accounts.models import Department, Facility, User
from console.accounts.roles import Role
from console.accounts.services import mail_link

ROLES = [(role.value, role.label) for role in Role]


def zones() -> list[tuple[str, str]]:
    """Give the time zones to choose from; those that only alias others are left out."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm):
    """The own name and time zone."""

    time_zone = forms.ChoiceField(required=False)

    class Meta:
        model = User
        fields = ("name", "time_zone")
        error_messages = {"name": {"required": "Enter your name."}}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [("", "My facility's own"), *zones()]


class OwnPasswordForm(PasswordChangeForm):
    """The own password."""

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": "This is not your present password.",
        "password_mismatch": "The two new passwords differ.",
    }


class InviteForm(forms.Form):
    """A person to let in, with roles at one facility."""

    email = forms.EmailField(
        max_length=254,
        error_messages={"required": "Enter an e-mail address.", "invalid": "This is no e-mail address."},
    )
    name = forms.CharField(max_length=120, error_messages={"required": "Enter the person's name."})
    facility = forms.ModelChoiceField(
        queryset=Facility.objects.none(),
        empty_label=None,
        error_messages={"required": "Choose a facility.", "invalid_choice": "Choose one of your facilities."},
    )
    roles = forms.MultipleChoiceField(choices=ROLES, error_messages={"required": "Choose at least one role."})


class GrantsForm(forms.Form):
    """A person's roles at one facility, and the restricted departments he may enter there."""

    roles = forms.MultipleChoiceField(choices=ROLES, required=False)
    departments = forms.ModelMultipleChoiceField(queryset=Department.objects.none(), required=False)

    def __init__(self, *args: object, facility: Facility, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["departments"].queryset = facility.departments.filter(restricted=True).order_by("name", "id")

    def clean_roles(self) -> list[Role]:
        """Turn words into roles."""
        return [Role(value) for value in self.cleaned_data["roles"]]


class ForgottenForm(PasswordResetForm):
    """The address of somebody who forgot the password; the answer is the same whether it is known or not."""

    def save(self, **_: object) -> None:
        """Mail the link to whoever has the address, at most once in five minutes."""
        for user in self.get_users(self.cleaned_data["email"]):
            group = user.groups.order_by("id").first()
            facility = Facility.objects.filter(slug=group.name.partition(":")[0]).first() if group else None
            if facility is not None and not recently(user.email, "reset"):
                mail_link(user=user, facility=facility, about="reset")
