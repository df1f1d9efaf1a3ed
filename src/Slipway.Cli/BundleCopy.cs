using System.Text.Json.Nodes;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Units;
using Slipway.Store.Registries;

namespace Slipway.Cli;

/// <summary>One copy of a bundle between two places, and what is told of it.</summary>
internal static class BundleCopy
{
    /// <summary>Copies what a source names, with what is attached to it.</summary>
    /// <param name="replace">Whether the tag may have named a list of variants before where it gets a bundle now, or the other way round.</param>
    /// <param name="judge">Called with the plan and the blobs that came, before anything is visible; what it throws ends it. What it cannot judge is left behind.</param>
    public static async Task<(TransferPlan Plan, TransferReport Report)> RunAsync(
        Shell shell, TransferSource source, TransferDestination destination, bool replace, CancellationToken cancellation,
        Action<TransferPlan, IReadOnlyCollection<Digest>>? judge = null)
    {
        var plan = await TransferPlan.ReadAsync(source.Place, source.Root, cancellation, onlyOfBundles: judge is not null);
        // Until a variant stands under its tag, nothing leads to it.
        using var writing = destination is { Variant: not null, Place: LayoutPlace place } ? place.Layout.BeginWriting(cancellation) : null;
        using var progress = new TransferProgress(shell, TimeProvider.System);
        var transfer = new BundleTransfer(source.Place, destination.Place) { Observe = progress.Show };
        var report = await transfer.RunAsync(plan, destination.Variant is null ? destination.Tag : null, replace, cancellation, arrived => judge?.Invoke(plan, arrived));
        if (destination.Variant is not null)
            await destination.TagVariantAsync(plan.Root, replace, cancellation);
        foreach (var left in plan.LeftBehind)
            shell.Note($"note: {left} was left behind: it is listed as attached and is gone, or is nothing that could be verified (a list, or attached to a list)");
        return (plan, report);
    }

    /// <summary>The document of <c>--json</c>.</summary>
    public static JsonObject Document(TransferPlan plan, TransferReport report, TransferSource source, TransferDestination destination) => new()
    {
        ["bundle"] = new JsonObject { ["digest"] = plan.Root.Digest.ToString() },
        ["variants"] = plan.Root.Index is null ? null : new JsonArray([.. plan.Root.Index.Variants.Select(variant => (JsonNode)variant)]),
        ["source"] = source.Text,
        ["destination"] = destination.Text,
        ["before"] = report.Before?.ToString(),
        ["attached"] = new JsonArray([.. plan.Manifests.Where(manifest => manifest.Subject is not null).Select(manifest => (JsonNode)manifest.Digest.ToString())]),
        ["left-behind"] = new JsonArray([.. plan.LeftBehind.Select(left => (JsonNode)left.ToString())]),
        ["bytes"] = new JsonObject { ["sent"] = report.Sent, ["there"] = report.Skipped, ["mounted"] = report.Mounted },
    };

    /// <summary>The lines for people, after the first.</summary>
    /// <param name="moved">What happened to bytes that were not there: sent, or received.</param>
    public static void Tell(Shell shell, TransferPlan plan, TransferReport report, TransferDestination destination, string moved = "sent")
    {
        shell.Out.WriteLine($"to        {destination.Text}");
        if (report.Before is { } before)
            shell.Out.WriteLine($"before    '{destination.Tag}' named {before}");
        var variants = plan.Root.Index is null || !plan.Root.Index.Variants.Any() ? "" : ", to " + string.Join(", ", plan.Root.Index.Variants.Select(variant => "#" + variant));
        var mounted = report.Mounted > 0 ? $", {new ByteSize(report.Mounted)} taken over from another repository" : "";
        shell.Out.WriteLine($"attached  {plan.Manifests.Count(manifest => manifest.Subject is not null)}{variants}");
        shell.Out.WriteLine($"bytes     {new ByteSize(report.Sent)} {moved}, {new ByteSize(report.Skipped)} were there{mounted}");
    }
}
