using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway tag REF NAME</c> and <c>slipway tags PLACE</c>.</summary>
internal static class TagVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A digest or tag of this project, oci:DIR:TAG, or HOST/REPOSITORY:TAG" };
        var name = new Argument<string>("name") { Description = "The further tag, in the same layout or repository" };
        var variant = new Option<string?>("--variant")
        {
            Description = "Put it under the tag as this variant, beside those that are there; references choose it by TAG#VARIANT",
            HelpName = "NAME",
        };
        var (force, registries) = (CopyVerb.ForceOption(), new RegistryAccessOptions());
        var verb = new Command(
            "tag",
            "Gives a bundle a further tag where it is, or makes it a variant under one.\n"
            + "Example: slipway tag flight-delay release --variant cuda") { reference, name, variant, force };
        registries.AddTo(verb);
        verb.SetAction((parsed, cancellation) =>
        {
            var (named, tag) = (BundleReference.Parse(parsed.GetRequiredValue(reference)), parsed.GetRequiredValue(name));
            return TagAsync(global.Shell(parsed), named, tag, parsed.GetValue(variant), parsed.GetValue(force), registries.Of(parsed), cancellation);
        });
        return verb;
    }

    public static Command BuildList(GlobalOptions global)
    {
        var place = new Argument<string?>("place") { Description = "HOST/REPOSITORY or oci:DIR; default: this project's layout", Arity = ArgumentArity.ZeroOrOne };
        var registries = new RegistryAccessOptions();
        var verb = new Command("tags", "Lists the tags of a repository or a layout.\nExample: slipway tags registry.example.org/team/flight-delay") { place };
        registries.AddTo(verb);
        verb.SetAction((parsed, cancellation) => ListAsync(global.Shell(parsed), parsed.GetValue(place), registries.Of(parsed), cancellation));
        return verb;
    }

    private static async Task<int> TagAsync(Shell shell, BundleReference reference, string name, string? variant, bool force, RegistryAccess access, CancellationToken cancellation)
    {
        if (!OciLayout.IsTag(name))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-tag", $"'{name}' is no tag", Help: "allowed are letters, digits, '.', '_' and '-', at most 128, not beginning with '.' or '-'"));
        if (variant is not null && !OciIndex.IsVariant(variant))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "bad-variant", $"'{variant}' is no variant",
                Help: "allowed are a lower-case letter, then up to 62 lower-case letters, digits, '-' and '_'"));
        var (tagged, was) = reference.Registry is { } repository
            ? await TagThereAsync(reference, repository, name, variant, force, access, cancellation)
            : TagHere(shell, reference, name, variant, force, cancellation);
        var before = was == tagged ? null : was;
        if (shell.Json)
            shell.WriteJson(new JsonObject { ["tag"] = name, ["variant"] = variant, ["digest"] = tagged.ToString(), ["before"] = before?.ToString() });
        else
            shell.Out.WriteLine($"{name}{(variant is null ? "" : "#" + variant)}  {tagged}{(before is null ? "" : $", and named {before} before")}");
        return (int)ExitCode.Done;
    }

    private static (Digest Now, Digest? Before) TagHere(Shell shell, BundleReference reference, string name, string? variant, bool force, CancellationToken cancellation)
    {
        var here = reference with { Folder = shell.PathOf(reference.Folder) };
        if (variant is not null)
        {
            var (layout, bundle) = here.Resolve(shell.Project.Bundles);
            layout.TagVariant(bundle, name, variant, force, cancellation);
            return (bundle, null);
        }

        var (place, entry) = here.Find(shell.Project.Bundles);
        var before = place.Tags().GetValueOrDefault(name)?.Digest;
        place.Tag(entry.Digest, name, force, cancellation);
        return (entry.Digest, before);
    }

    private static async Task<(Digest Now, Digest? Before)> TagThereAsync(
        BundleReference reference, RegistryReference repository, string name, string? variant, bool force, RegistryAccess access, CancellationToken cancellation)
    {
        using var client = await access.OpenAsync(repository, cancellation);
        var found = await client.ResolveAsync(reference, cancellation);
        if (variant is null)
            return (found.Descriptor.Digest, await client.TagAsync(found, name, force, cancellation));
        await client.TagVariantAsync(found, name, variant, force, cancellation);
        return (found.Descriptor.Digest, null);
    }

    private static async Task<int> ListAsync(Shell shell, string? text, RegistryAccess access, CancellationToken cancellation)
    {
        var tags = text is not null && RegistryReference.IsMeant(text) ? await ListThereAsync(text, access, cancellation) : ListHere(shell, text);
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject { ["tags"] = new JsonArray([.. tags.Select(tag => (JsonNode)ToJson(tag))]) });
            return (int)ExitCode.Done;
        }

        foreach (var (name, digest, variants) in tags)
            shell.Out.WriteLine($"{name}{(digest is null ? "" : $"  {digest}")}{(variants is null ? "" : "  " + string.Join(' ', variants.Select(variant => "#" + variant)))}");
        if (tags.Count == 0)
            shell.Note("there are no tags");
        return (int)ExitCode.Done;
    }

    private static JsonObject ToJson(Tagged tag) => new()
    {
        ["name"] = tag.Name,
        ["digest"] = tag.Digest?.ToString(),
        ["variants"] = tag.Variants is null ? null : new JsonArray([.. tag.Variants.Select(variant => (JsonNode)variant)]),
    };

    private static List<Tagged> ListHere(Shell shell, string? text)
    {
        var folder = text is null ? shell.Project.Bundles : BundleReference.Parse(text) is { Folder: { } named, Tag: null, Digest: null, Variant: null } ? shell.PathOf(named)
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"'{text}' is no repository and no layout", Help: "write HOST/REPOSITORY or oci:DIR"));
        var layout = OciLayout.Open(folder);
        return [.. layout.Tags().Select(tag => new Tagged(tag.Key, tag.Value.Digest, layout.ReadNested(tag.Value) is { } index ? index.Variants : null))];
    }

    private static async Task<List<Tagged>> ListThereAsync(string text, RegistryAccess access, CancellationToken cancellation)
    {
        var repository = RegistryReference.Parse(text);
        if (repository.Tag is not null || repository.Digest is not null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"'{text}' is one bundle, and no repository", Help: $"write {repository.Name}"));
        using var client = await access.OpenAsync(repository, cancellation);
        return [.. (await client.TagsAsync(cancellation)).Order(StringComparer.Ordinal).Select(tag => new Tagged(tag, null, null))];
    }

    /// <param name="Digest">Null where the list does not say.</param>
    /// <param name="Variants">Null for one bundle, and where the list does not say.</param>
    private sealed record Tagged(string Name, Digest? Digest, IReadOnlyList<string>? Variants);
}
