using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway untag REF</c>.</summary>
internal static class UntagVerb
{
    public static Command Build(GlobalOptions global)
    {
        var reference = new Argument<string>("ref") { Description = "A tag of this project, or oci:DIR:TAG" };
        var verb = new Command("untag", "Takes a tag off a bundle here. The bundle stays until `slipway gc --delete` finds that nothing else keeps it.\nExample: slipway untag old") { reference };
        verb.SetAction(parsed => Untag(global.Shell(parsed), BundleReference.Parse(parsed.GetRequiredValue(reference))));
        return verb;
    }

    private static int Untag(Shell shell, BundleReference reference)
    {
        if (reference is not { Tag: { } tag, Registry: null, Digest: null, Variant: null })
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-reference", $"'{reference.Text}' names no tag of a layout", Help: "write a tag of this project, or oci:DIR:TAG"));
        var (layout, entry) = (reference with { Folder = shell.PathOf(reference.Folder) }).Find(shell.Project.Bundles);
        layout.Untag(tag);
        if (shell.Json)
            shell.WriteJson(new JsonObject { ["tag"] = tag, ["digest"] = entry.Digest.ToString() });
        else
            shell.Out.WriteLine($"{tag} no longer names {entry.Digest}");
        return (int)ExitCode.Done;
    }
}
