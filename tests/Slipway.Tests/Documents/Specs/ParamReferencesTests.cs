using Slipway.Documents.Specs;

namespace Slipway.Tests.Documents.Specs;

public sealed class ParamReferencesTests
{
    [Theory]
    [InlineData("train --depth ${params.depth} --x ${params.a.b}", "params:depth params:a.b")]
    [InlineData("echo ${HOME} $HOME ${X:-1} ${#a} $((1+2)) ${a.}", "a:")]
    [InlineData("${params.depth", "params:depth")]
    [InlineData("${params.a}${params.b}$${env.X}", "params:a params:b env:X")]
    [InlineData("${params}", "")]
    [InlineData("", "")]
    public void Only_a_word_with_a_dot_is_ours(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', ParamReferences.In(text).Select(reference => $"{reference.Source}:{reference.Name}")));

    [Fact]
    public void Filling_in_leaves_everything_else_as_it_was()
    {
        const string text = "a ${params.x}${HOME} '${params.y.z}' $";
        Assert.Equal("a [x]${HOME} '[y.z]' $", ParamReferences.Fill(text, name => $"[{name}]"));
        Assert.Equal(text, ParamReferences.Fill(text, name => $"${{params.{name}}}"));
    }
}
