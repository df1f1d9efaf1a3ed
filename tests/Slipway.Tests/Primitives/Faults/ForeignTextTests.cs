using Slipway.Primitives.Faults;

namespace Slipway.Tests.Primitives.Faults;

public sealed class ForeignTextTests
{
    [Theory]
    [InlineData("a\u001b[2Jb", "a?[2Jb")]           // an escape sequence
    [InlineData("a\r\nb", "a??b")]
    [InlineData("a\u202Eb\u2066c", "a?b?c")]        // turns the direction of writing
    [InlineData("a\u200Eb\u061Cc", "a?b?c")]        // marks a direction
    [InlineData("pay\u200Bpal\uFEFF", "pay?pal?")]  // has no width
    [InlineData("a\u2028b", "a?b")]                 // ends a line
    [InlineData("Zoë – 東京", "Zoë – 東京")]
    public void What_hides_or_works_on_its_surroundings_is_not_shown(string text, string shown) => Assert.Equal(shown, ForeignText.Shown(text));

    [Fact]
    public void Long_text_is_cut_and_says_so() => Assert.Equal(new string('x', 120) + "…", ForeignText.Shown(new string('x', 100_000)));
}
