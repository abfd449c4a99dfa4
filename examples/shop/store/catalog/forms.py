from django import forms

from catalog.models import Product, Review


class ProductForm(forms.ModelForm):
    class Meta:
        model = Product
        fields = "__all__"


class ReviewForm(forms.ModelForm):
    class Meta:
        model = Review
        fields = ["author", "stars"]

    def clean_stars(self):
        stars = self.cleaned_data["stars"]
        if not 1 <= stars <= 5:
            raise forms.ValidationError("Between one and five stars")

    def clean_author(self):
        return self.cleaned_data["author"].strip()


class ImportForm(forms.Form):
    supplier = forms.CharField(max_length=120)
    country = forms.CharField(max_length=2)

    def clean_country(self):
        return self.cleaned_data["country"].upper()
