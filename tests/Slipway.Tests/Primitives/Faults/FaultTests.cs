using Slipway.Primitives.Faults;

namespace Slipway.Tests.Primitives.Faults;

public sealed class FaultTests
{
    private static readonly string[] Keys = ["stages", "data", "gates", "params", "model", "environments", "name"];

    [Theory]
    [InlineData("stage", "stages")]
    [InlineData("satges", "stages")]
    [InlineData("Stages", "stages")]
    [InlineData("gate", "gates")]
    [InlineData("enviroments", "environments")]
    [InlineData("paramz", "params")]
    [InlineData("nmae", "name")]
    public void A_misspelt_key_finds_the_one_that_was_meant(string found, string meant) => Assert.Equal(meant, NearestName.Of(found, Keys));

    [Theory]
    [InlineData("completely-else")]
    [InlineData("xyz")]
    [InlineData("")]
    public void A_key_that_is_near_nothing_gets_no_suggestion(string found) => Assert.Null(NearestName.Of(found, Keys));

    [Fact]
    public void A_tie_goes_to_the_first_by_ordinal_order_whatever_the_order_given()
    {
        Assert.Equal("rate", NearestName.Of("rage", ["rave", "rate"]));
        Assert.Equal("cat", NearestName.Of("bat", ["rat", "cat"]));
        Assert.Null(NearestName.Of("bat", []));
    }

    [Fact]
    public void A_fault_is_said_the_way_editors_jump_to()
    {
        Assert.Equal("slipway.yaml:12:14: canary weight is 130", new Fault("x", "canary weight is 130", "slipway.yaml", 12, 14).ToString());
        Assert.Equal("slipway.yaml: empty", new Fault("x", "empty", "slipway.yaml").ToString());
        Assert.Equal("no git", new Fault("x", "no git").ToString());
    }

    [Fact]
    public void An_exception_tells_all_its_faults()
    {
        var e = new SlipwayException(ExitCode.UnusableInput, [new Fault("a", "one"), new Fault("b", "two")]);
        Assert.Equal("one\ntwo", e.Message);
        Assert.Equal(["a", "b"], e.Faults.Select(fault => fault.Code));
    }

    [Fact]
    public void Exit_codes_never_change() =>
        Assert.Equal([("Done", 0), ("BadVerdict", 1), ("UnusableInput", 2), ("NotThere", 3), ("Bug", 70)], Enum.GetValues<ExitCode>().Select(code => (code.ToString(), (int)code)));
}
