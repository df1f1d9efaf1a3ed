namespace Slipway.Tests.Architecture;

/// <summary>Each rule of the house catches a fault that was planted for it, in the folders below <c>Planted</c>.</summary>
public sealed class ScanTests
{
    private const string Root = "Slipway.Tests.Architecture.Planted";

    private static AssemblyScan Scan() => new(typeof(ScanTests).Assembly.Location);

    [Fact]
    public void A_planted_circle_through_bodies_and_generic_arguments_is_found()
    {
        using var scan = Scan();
        var circle = Assert.Single(Rules.FolderCircles(scan, Root));
        Assert.Equal(
            $"Argument → Local → Body → Argument: {Root}.Argument.Holder uses {Root}.Local.Leaf; {Root}.Local.Leaf uses {Root}.Body.Item; {Root}.Body.Caller uses {Root}.Argument.Holder",
            circle);
    }

    [Fact]
    public void Without_any_one_of_its_arrows_there_is_no_circle()
    {
        using var scan = Scan();
        Assert.Empty(Rules.FolderCircles(scan, Root + ".Clean"));
        Assert.Empty(Rules.FolderCircles(scan, Root + ".Body"));
        Assert.Contains(scan.Uses, use => use.From.Namespace == Root + ".Clean" && use.To.Namespace == Root + ".Argument");
    }

    [Fact]
    public void A_type_named_like_its_folder_is_found()
    {
        using var scan = Scan();
        Assert.Equal([$"{Root}.Named.Named"], Rules.TypesNamedLikeTheirFolder(scan).Where(name => name.StartsWith(Root, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_clock_a_file_and_chance_are_found_and_harmless_uses_are_not()
    {
        using var scan = Scan();
        Assert.Equal(
            [
                $"{Root}.Impure.Sinner uses System.Diagnostics.Stopwatch.GetTimestamp",
                $"{Root}.Impure.Sinner uses System.Environment.get_TickCount64",
                $"{Root}.Impure.Sinner uses System.IO.File.Exists",
                $"{Root}.Impure.Sinner uses System.Random..ctor",
                $"{Root}.Impure.Sinner uses System.Random.Next",
            ],
            Rules.ImpureUses(scan, Root));
    }

    [Fact]
    public void A_reference_that_is_not_allowed_is_found()
    {
        using var scan = Scan();
        Assert.Contains("Slipway.Primitives", scan.References);
        Assert.Equal(["Slipway.Pipeline"], Rules.ForbiddenReferences(["Slipway.Pipeline", "Slipway.Store", "System.Linq"], ["Store", "Primitives"]));
    }
}
