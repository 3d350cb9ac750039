//! Prints the small network's parameters: tests/goldens/small-parameters.txt.

fn main() {
    print!("{}", radiodiff_tests::small::parameter_list());
}
